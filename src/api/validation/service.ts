import type { Service, ServicePort, ServiceSpec } from '#api/generated/core-v1.ts';
import { isExternallyAccessible } from '#api/defaults/core.ts';
import type { FieldError } from '#api/field-error.ts';
import { ipFamilyOf, isDualStack } from '#api/ip.ts';
import {
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelKeyProblems,
  portNumberProblems,
} from '#api/names.ts';
import { Finding, isImmutable } from '#api/validation/check.ts';
import { validateLabels, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';
import { protocols, validatePortOrName } from '#api/validation/ports.ts';

const serviceName = { namespaced: true, nameProblems: dns1035LabelProblems };
const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";
const notChangeable = 'may not change once set';
/** A day. */
const clientIpMostSeconds = 86_400;

/** A defaulted Service whose cluster addresses are as they will be stored. */
export function validateService(service: Service): readonly FieldError[] {
  const meta = validateMeta(service.metadata, serviceName);
  const found = Finding.at('spec');
  const spec: ServiceSpec = service.spec ?? {};
  if ((spec.ports?.length ?? 0) === 0 && !isHeadless(spec) && spec.type !== 'ExternalName')
    found.child('ports').required();
  validateType(spec, found);
  validatePorts(spec, found.child('ports'));
  validateLabels(spec.selector, found.child('selector'));
  validateSessionAffinity(spec, found);
  if (spec.type !== 'ExternalName') validateClusterIps(spec, found);
  validateExternalIps(spec, found.child('externalIPs'));
  validateLoadBalancer(spec, found);
  validateTrafficPolicies(spec, found);
  return [...meta.errors, ...found.errors];
}

export function validateServiceUpdate(service: Service, old: Service): readonly FieldError[] {
  const meta = validateMetaUpdate(service.metadata, old.metadata);
  const found = Finding.at('spec');
  const { spec } = service;
  const isNamed = spec.type === 'ExternalName' || old.spec.type === 'ExternalName';
  if (!isNamed) {
    validateAddressChange(spec, old.spec, found);
    validateFamilyChange(spec, old.spec, found);
  }
  if (spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer') {
    if (spec.loadBalancerClass !== old.spec.loadBalancerClass) {
      found.child('loadBalancerClass').invalid(spec.loadBalancerClass, notChangeable);
    }
  }
  if (
    needsHealthCheck(spec) &&
    needsHealthCheck(old.spec) &&
    spec.healthCheckNodePort !== old.spec.healthCheckNodePort
  ) {
    found.child('healthCheckNodePort').forbidden(isImmutable);
  }
  return [...meta.errors, ...found.errors, ...validateService(service)];
}

export function validateServiceStatusUpdate(service: Service, old: Service): readonly FieldError[] {
  const meta = validateMetaUpdate(service.metadata, old.metadata);
  const found = Finding.at('status').child('loadBalancer').child('ingress');
  for (const [index, { ip, ipMode, hostname }] of (service.status?.loadBalancer?.ingress ?? []).entries()) {
    const own = found.at(index);
    if (ip) own.child('ip').ip(ip);
    if (ip && ipMode === undefined) own.child('ipMode').required('must be specified when `ip` is set');
    else if (!ip && ipMode !== undefined) own.child('ipMode').forbidden('may not be specified when `ip` is not set');
    else own.child('ipMode').oneOf(ipMode, ['Proxy', 'VIP']);
    if (!hostname) continue;
    own.child('hostname').problems(hostname, dns1123SubdomainProblems(hostname));
    if (ipFamilyOf(hostname)) own.child('hostname').invalid(hostname, 'must be a DNS name, not an IP address');
  }
  return [...meta.errors, ...found.errors];
}

const isHeadless = ({ clusterIPs }: ServiceSpec): boolean => clusterIPs?.length === 1 && clusterIPs[0] === 'None';

const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

function validateType(spec: ServiceSpec, found: Finding): void {
  const { type } = spec;
  found.child('type').requiredOneOf(type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    found.child('clusterIPs').at(0).invalid('None', `may not be set to 'None' for ${type} services`);
  }
  if (type !== 'ExternalName') return;
  for (const name of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if ((spec[name]?.length ?? 0) > 0) found.child(name).forbidden('may not be set for ExternalName services');
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (found.child('externalName').text(name))
    found.child('externalName').problems(name, dns1123SubdomainProblems(name));
}

function validatePorts({ ports = [], type }: ServiceSpec, found: Finding): void {
  const names = new Set<string>();
  const taken = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const own = found.at(index);
    if (ports.length > 1 && !port.name) own.child('name').required();
    if (port.name) {
      own.child('name').problems(port.name, dns1123LabelProblems(port.name));
      if (names.has(port.name)) own.child('name').duplicate(port.name);
      names.add(port.name);
    }
    validatePort(port, own);
    if (type === 'ClusterIP' && port.nodePort) {
      own.child('nodePort').forbidden("may not be used when `type` is 'ClusterIP'");
    }
    const nodeKey = `node/${port.protocol}/${port.nodePort}`;
    if (port.nodePort && taken.has(nodeKey)) own.child('nodePort').duplicate(port.nodePort);
    const key = `${port.protocol}/${port.port}`;
    if (taken.has(key)) own.duplicate({ protocol: port.protocol, port: port.port });
    taken.add(key).add(nodeKey);
  }
}

function validatePort(port: ServicePort, found: Finding): void {
  found.child('port').problems(port.port ?? 0, portNumberProblems(port.port ?? 0));
  found.child('protocol').requiredOneOf(port.protocol, protocols);
  validatePortOrName(port.targetPort, found.child('targetPort'));
  const { appProtocol } = port;
  if (appProtocol !== undefined) found.child('appProtocol').problems(appProtocol, labelKeyProblems(appProtocol));
}

function validateSessionAffinity(spec: ServiceSpec, found: Finding): void {
  found.child('sessionAffinity').requiredOneOf(spec.sessionAffinity, ['ClientIP', 'None']);
  const own = found.child('sessionAffinityConfig');
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig !== undefined) {
    own.forbidden('must not be set when session affinity is None');
  }
  if (spec.sessionAffinity !== 'ClientIP') return;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const at = own.child('clientIP').child('timeoutSeconds');
  if (seconds === undefined) at.required('when session affinity type is ClientIP');
  else if (seconds <= 0 || seconds > clientIpMostSeconds) {
    at.invalid(seconds, `must be greater than 0 and less than ${clientIpMostSeconds}`);
  }
}

function validateClusterIps(spec: ServiceSpec, found: Finding): void {
  const { clusterIP, clusterIPs = [], ipFamilies = [] } = spec;
  const own = found.child('clusterIPs');
  if (clusterIP && clusterIPs.length === 0) own.required();
  else if (clusterIP && clusterIPs[0] !== clusterIP) own.invalid(clusterIPs, 'first value must match `clusterIP`');
  else if (!clusterIP && clusterIPs.length > 0) {
    own.invalid(clusterIPs, 'must be empty when `clusterIP` is not specified');
  }
  for (const [index, family] of ipFamilies.entries()) {
    found.child('ipFamilies').at(index).oneOf(family, ['IPv4', 'IPv6']);
    if (ipFamilies.indexOf(family) < index) found.child('ipFamilies').at(index).duplicate(family);
  }
  found.child('ipFamilyPolicy').oneOf(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']);
  const before = own.errors.length;
  if (clusterIPs[0] === 'None' && clusterIPs.length > 1)
    own.invalid(clusterIPs, "'None' must be the first and only value");
  for (const [index, address] of clusterIPs.entries()) if (index > 0 || address !== 'None') own.at(index).ip(address);
  if (clusterIPs.length > 2) own.invalid(clusterIPs, 'may only hold up to 2 values');
  if (own.errors.length > before) return;
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs)) {
    own.invalid(clusterIPs, 'may specify no more than one IP for each IP family');
  }
  for (const [index, address] of clusterIPs.entries()) {
    const family = ipFamilies[index];
    if (family === undefined || address === 'None' || ipFamilyOf(address) === family) continue;
    own.at(index).invalid(address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``);
  }
}

function validateExternalIps({ externalIPs = [] }: ServiceSpec, found: Finding): void {
  for (const [index, address] of externalIPs.entries()) {
    const own = found.at(index);
    own.ip(address);
    const low = address.toLowerCase();
    if (low === '0.0.0.0' || low === '::') own.invalid(address, `may not be unspecified (${address})`);
    else if (low.startsWith('127.') || low === '::1') {
      own.invalid(address, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
    } else if (low.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/.test(low)) {
      own.invalid(address, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
    } else if (low.startsWith('224.0.0.') || low.startsWith('ff02:')) {
      own.invalid(address, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
    }
  }
}

function validateLoadBalancer(spec: ServiceSpec, found: Finding): void {
  const isBalanced = spec.type === 'LoadBalancer';
  const ranges = found.child('LoadBalancerSourceRanges');
  if (!isBalanced && (spec.loadBalancerSourceRanges?.length ?? 0) > 0) ranges.forbidden(onlyLoadBalancer);
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries()) ranges.at(index).cidr(range.trim());
  if (!isBalanced && spec.allocateLoadBalancerNodePorts !== undefined) {
    found.child('allocateLoadBalancerNodePorts').forbidden(onlyLoadBalancer);
  }
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined) return;
  const own = found.child('loadBalancerClass');
  if (isBalanced) own.problems(loadBalancerClass, labelKeyProblems(loadBalancerClass));
  else own.forbidden(onlyLoadBalancer);
}

function validateTrafficPolicies(spec: ServiceSpec, found: Finding): void {
  const external = found.child('externalTrafficPolicy');
  if (isExternallyAccessible(spec)) external.requiredOneOf(spec.externalTrafficPolicy, ['Cluster', 'Local']);
  else if (spec.externalTrafficPolicy) {
    external.invalid(spec.externalTrafficPolicy, 'may only be set for externally-accessible services');
  }
  const health = found.child('healthCheckNodePort');
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (port !== 0) health.invalid(port, why);
  } else if (port === 0) health.required();
  else health.problems(port, portNumberProblems(port));
  const internal = found.child('internalTrafficPolicy');
  if (spec.type === 'ExternalName') internal.oneOf(spec.internalTrafficPolicy, ['Cluster', 'Local']);
  else internal.requiredOneOf(spec.internalTrafficPolicy, ['Cluster', 'Local']);
  found
    .child('trafficDistribution')
    .oneOf(spec.trafficDistribution, ['PreferClose', 'PreferSameNode', 'PreferSameZone']);
}

/** Addresses may be added and the second may go; none may become another. */
function validateAddressChange(spec: ServiceSpec, old: ServiceSpec, found: Finding): void {
  if (isHeadless(spec) && isHeadless(old)) return;
  const after = spec.clusterIPs ?? [];
  const before = old.clusterIPs ?? [];
  const own = found.child('clusterIPs');
  if (before.length > 0 && after.length === 0) own.at(0).invalid(after, 'primary clusterIP can not be unset');
  for (const [index, address] of before.entries()) {
    if (after[index] !== undefined && after[index] !== address) own.at(index).invalid(after, notChangeable);
  }
  if (before.length > 1 && after.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    found.child('ipFamilyPolicy').invalid(spec.ipFamilyPolicy, why);
  }
}

function validateFamilyChange(spec: ServiceSpec, old: ServiceSpec, found: Finding): void {
  if (isHeadless(spec) || isHeadless(old)) return;
  const after = spec.ipFamilies ?? [];
  const before = old.ipFamilies ?? [];
  for (const [index, family] of before.entries()) {
    if (after[index] !== undefined && after[index] !== family)
      found.child('ipFamilies').at(0).invalid(after, notChangeable);
  }
  if (before.length > 1 && after.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    found.child('ipFamilyPolicy').invalid(spec.ipFamilyPolicy, why);
  }
}
