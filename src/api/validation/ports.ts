import type { Container, ContainerPort } from '#api/generated/core-v1.ts';
import type { IntOrString } from '#api/generated/meta-v1.ts';
import { portNameProblems, portNumberProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';

export const protocols = ['SCTP', 'TCP', 'UDP'];

export function validateContainerPorts(ports: readonly ContainerPort[], found: Finding): void {
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort = 0, protocol }] of ports.entries()) {
    const own = found.at(index);
    if (name) {
      const problems = portNameProblems(name);
      own.child('name').problems(name, problems);
      if (problems.length === 0 && names.has(name)) own.child('name').duplicate(name);
      names.add(name);
    }
    if (!containerPort) own.child('containerPort').required();
    else own.child('containerPort').problems(containerPort, portNumberProblems(containerPort));
    if (hostPort !== 0) own.child('hostPort').problems(hostPort, portNumberProblems(hostPort));
    own.child('protocol').requiredOneOf(protocol, protocols);
  }
}

/** No two ports may want the same port of the host. `found` stands at the list of containers. */
export function validateHostPorts(containers: readonly Container[], found: Finding): void {
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [port, { protocol, hostIP = '', hostPort }] of (container.ports ?? []).entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) found.at(index).child('ports').at(port).child('hostPort').duplicate(key);
      taken.add(key);
    }
  }
}

export function validatePortOrName(port: IntOrString | undefined, found: Finding): void {
  if (typeof port === 'string') found.problems(port, portNameProblems(port));
  else found.problems(port ?? 0, portNumberProblems(port ?? 0));
}
