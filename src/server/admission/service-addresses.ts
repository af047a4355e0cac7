import { invalid, invalidValue } from '#api/field-error.ts';
import { at, child, rootPath } from '#api/field-path.ts';
import type { Service, ServicePort, ServiceSpec } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Clock } from '#lib/clock.ts';
import type { AdmissionPlugin, Lookup } from '#server/admission.ts';
import { Allocator, type Pool } from '#server/admission/allocator.ts';

/** The ports of nodes that services may take, as upstream's default. */
const NODE_PORTS = { first: 30_000, last: 32_767 } as const;

/**
 * Gives services their address within the cluster, and their ports on the nodes where their type asks for some. What a service
 * names itself must be free; what it had it keeps.
 */
export function serviceAddresses(lookup: Lookup, clock: Clock, range: AddressRange): AdmissionPlugin {
  const services = (): readonly Service[] => lookup.under('services/').map(({ object }) => object as Service);
  const addresses = new Allocator(clock, range.pool, () =>
    services().flatMap(({ spec }) => (spec?.clusterIPs ?? []).flatMap(range.indexOf)),
  );
  const ports = new Allocator(clock, { size: NODE_PORTS.last - NODE_PORTS.first + 1, first: 0 }, () =>
    services().flatMap(({ spec }) =>
      (spec?.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort - NODE_PORTS.first] : [])),
    ),
  );
  return {
    name: 'ServiceAddresses',
    mutate({ operation, descriptor, subresource, old }, object): KubeObject {
      if (descriptor.plural !== 'services' || subresource !== undefined || operation === 'DELETE') return object;
      const service = object as Service;
      const before = (old as Service | undefined)?.spec;
      const withPorts = portsGiven(service, before, ports);
      return addressGiven(withPorts, before, { range, addresses });
    },
  };
}

function addressGiven(
  service: Service,
  before: ServiceSpec | undefined,
  { range, addresses }: { range: AddressRange; addresses: Allocator },
): Service {
  const { spec } = service;
  if (spec.type === 'ExternalName') return service;
  const families = {
    ipFamilies: spec.ipFamilies ?? before?.ipFamilies ?? ['IPv4'],
    ipFamilyPolicy: spec.ipFamilyPolicy ?? before?.ipFamilyPolicy ?? 'SingleStack',
  } as const;
  const asked = spec.clusterIP || spec.clusterIPs?.[0];
  const had = before && before.type !== 'ExternalName' ? before.clusterIP : undefined;
  const address = asked || had || range.addressAt(addresses.any());
  if (asked && asked !== 'None' && asked !== had) claimed(service, asked, { range, addresses });
  return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: spec.clusterIPs ?? [address], ...families } };
}

function claimed(
  service: Service,
  asked: string,
  { range, addresses }: { range: AddressRange; addresses: Allocator },
): void {
  const [index] = range.indexOf(asked);
  const why =
    index === undefined
      ? `failed to allocate IP ${asked}: the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${range.text}`
      : addresses.take(index)
        ? undefined
        : `failed to allocate IP ${asked}: provided IP is already allocated`;
  if (why === undefined) return;
  const path = child(rootPath('spec'), 'clusterIPs');
  throw invalid({ group: '', kind: 'Service' }, service.metadata.name, [invalidValue(path, [asked], why)]);
}

function portsGiven(service: Service, before: ServiceSpec | undefined, ports: Allocator): Service {
  const { spec } = service;
  const wanted =
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
  if (!wanted) return service;
  const had = new Map((before?.ports ?? []).map((port) => [keyOf(port), port.nodePort]));
  const given = (spec.ports ?? []).map((port, index): ServicePort => {
    const old = had.get(keyOf(port));
    if (!port.nodePort) return { ...port, nodePort: old || NODE_PORTS.first + ports.any() };
    if (port.nodePort !== old) checkPort(service, port.nodePort, { index, ports });
    return port;
  });
  return { ...service, spec: { ...spec, ports: given } };
}

const keyOf = ({ port, protocol = 'TCP' }: ServicePort): string => `${port}/${protocol}`;

function checkPort(service: Service, port: number, { index, ports }: { index: number; ports: Allocator }): void {
  const { first, last } = NODE_PORTS;
  const inside = port >= first && port <= last;
  if (inside && ports.take(port - first)) return;
  const why = inside
    ? 'provided port is already allocated'
    : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  const path = child(at(child(rootPath('spec'), 'ports'), index), 'nodePort');
  throw invalid({ group: '', kind: 'Service' }, service.metadata.name, [invalidValue(path, port, why)]);
}

/** A range of IPv4 addresses, by index. */
export interface AddressRange {
  /** `10.96.0.0/16` */
  readonly text: string;
  readonly pool: Pool;
  readonly addressAt: (index: number) => string;
  /** Empty for what lies outside. */
  readonly indexOf: (address: string) => readonly number[];
}

/** Throws on what is no IPv4 range. */
export function addressRange(text: string): AddressRange {
  const [base = '', bits = ''] = text.split('/');
  const start = numberOf(base);
  const width = Number(bits);
  if (start === undefined || !(width >= 8 && width <= 30))
    throw new Error(`the service range ${JSON.stringify(text)} is no IPv4 range`);
  const size = 2 ** (32 - width);
  return {
    text,
    // Neither the network's own address, nor the first (the API's own), nor the broadcast address.
    pool: { first: 2, size: size - 1 },
    addressAt: (index) => addressOf(start + index),
    indexOf: (address) => {
      const number = numberOf(address);
      return number === undefined || number < start || number >= start + size ? [] : [number - start];
    },
  };
}

function numberOf(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
