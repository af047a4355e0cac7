/**
 * The variables that tell a container where the Services are, as they were when it was made. Pure; upstream's rules, with
 * those names that come from Docker's links.
 */
import type { Service, ServicePort } from '#api/generated/core-v1.ts';

/** The one Service that every container is told of, whatever its namespace and `enableServiceLinks`. */
const MASTER = { namespace: 'default', name: 'kubernetes' } as const;

/** `links`: the pod's `enableServiceLinks`. Headless Services have no address, and no variables. */
export function serviceVariables(
  services: readonly Service[],
  { namespace, links }: { readonly namespace: string; readonly links: boolean },
): ReadonlyMap<string, string> {
  const addressed = services.filter(hasAddress).toSorted(byName);
  const isMaster = ({ metadata }: Service): boolean =>
    metadata.namespace === MASTER.namespace && metadata.name === MASTER.name;
  const own = links ? addressed.filter((one) => one.metadata.namespace === namespace && !isMaster(one)) : [];
  // A Service of the same name in the pod's own namespace hides it.
  const hidden = own.some(({ metadata }) => metadata.name === MASTER.name);
  const told = [...(hidden ? [] : addressed.filter(isMaster)), ...own];
  return new Map(told.flatMap(variablesOf));
}

const byName = (a: Service, b: Service): number => (a.metadata.name < b.metadata.name ? -1 : 1);

const addressOf = ({ spec }: Service): string => spec?.clusterIP ?? '';
const hasAddress = (service: Service): boolean => !['', 'None'].includes(addressOf(service));

type Variable = readonly [name: string, value: string];

function variablesOf(service: Service): readonly Variable[] {
  const prefix = variableName(service.metadata.name);
  const address = addressOf(service);
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (first === undefined) return [[`${prefix}_SERVICE_HOST`, address]];
  const named = ports.filter(({ name = '' }) => name !== '');
  return [
    [`${prefix}_SERVICE_HOST`, address],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named.map(({ name = '', port }): Variable => [`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)]),
    [`${prefix}_PORT`, urlOf(address, first)],
    ...ports.flatMap((port) => linkVariables(prefix, address, port)),
  ];
}

function linkVariables(prefix: string, address: string, port: ServicePort): readonly Variable[] {
  const own = `${prefix}_PORT_${port.port}_${protocolOf(port).toUpperCase()}`;
  return [
    [own, urlOf(address, port)],
    [`${own}_PROTO`, protocolOf(port)],
    [`${own}_PORT`, String(port.port)],
    [`${own}_ADDR`, address],
  ];
}

const protocolOf = ({ protocol = 'TCP' }: ServicePort): string => protocol.toLowerCase();

function urlOf(address: string, port: ServicePort): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${protocolOf(port)}://${host}:${port.port}`;
}

const variableName = (text: string): string => text.replaceAll('-', '_').toUpperCase();
