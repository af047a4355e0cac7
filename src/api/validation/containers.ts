import type { Container, EphemeralContainer, PodSpec } from '#api/generated/core-v1.ts';
import { dns1123LabelProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateEnv, validateEnvFrom } from '#api/validation/env.ts';
import { validateDevices, validateMounts, type Volumes } from '#api/validation/mounts.ts';
import { validateContainerPorts, validateHostPorts } from '#api/validation/ports.ts';
import { forbidProbes, validateProbes } from '#api/validation/probes.ts';
import { validateRequirements } from '#api/validation/resources.ts';
import { validateSecurityContext } from '#api/validation/security.ts';

/** What containers of all sorts are checked against. */
interface Surroundings {
  readonly spec: PodSpec;
  readonly volumes: Volumes;
  readonly claims: ReadonlySet<string>;
}

/** All containers of a spec. `found` stands at the spec. */
export function validateAllContainers(spec: PodSpec, volumes: Volumes, found: Finding): void {
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name));
  const surroundings: Surroundings = { spec, volumes, claims };
  validateContainers(surroundings, found.child('containers'));
  validateInitContainers(surroundings, found.child('initContainers'));
  validateEphemeralContainers(surroundings, found.child('ephemeralContainers'));
}

function validateContainers(surroundings: Surroundings, found: Finding): void {
  const { spec } = surroundings;
  const containers = spec.containers ?? [];
  if (containers.length === 0) {
    found.required();
    return;
  }
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const own = found.at(index);
    validateContainer(container, surroundings, own);
    if (names.has(container.name)) own.child('name').duplicate(container.name);
    names.add(container.name);
    validateProbes(container, spec, own);
    validateRestartPolicy(container, own);
  }
  validateHostPorts(containers, found);
}

function validateInitContainers(surroundings: Surroundings, found: Finding): void {
  const { spec } = surroundings;
  const names = new Set((spec.containers ?? []).map(({ name }) => name));
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const own = found.at(index);
    validateContainer(container, surroundings, own);
    validateRestartPolicy(container, own);
    if (names.has(container.name)) own.child('name').duplicate(container.name);
    else if (container.name) names.add(container.name);
    // They run one by one: only the ports of one may collide.
    validateHostPorts([container], found);
    if (container.restartPolicy === 'Always') {
      validateProbes(container, spec, own);
    } else forbidProbes(container, own);
  }
}

const MOST_RULES = 20;
const MOST_CODES = 255;

/** A container's own policy, and the rules that go before it (KEP-5307). Rules that restart the whole pod (KEP-5532) are refused. */
function validateRestartPolicy({ restartPolicy, restartPolicyRules = [] }: Container, found: Finding): void {
  const policy = found.child('restartPolicy');
  if (restartPolicy !== undefined) policy.oneOf(restartPolicy, ['Always', 'Never', 'OnFailure']);
  else if (restartPolicyRules.length > 0) policy.required('must specify restartPolicy when restart rules are used');
  const rules = found.child('restartPolicyRules');
  if (restartPolicyRules.length > MOST_RULES) rules.tooMany(restartPolicyRules.length, MOST_RULES);
  for (const [index, { action, exitCodes }] of restartPolicyRules.entries()) {
    const own = rules.at(index);
    own.child('action').requiredOneOf(action, ['Restart']);
    if (exitCodes === undefined) {
      own.child('exitCodes').required('must be specified');
      continue;
    }
    const codes = own.child('exitCodes');
    codes.child('operator').requiredOneOf(exitCodes.operator, ['In', 'NotIn']);
    const count = exitCodes.values?.length ?? 0;
    if (count > MOST_CODES) codes.child('values').tooMany(count, MOST_CODES);
  }
}

const forbiddenInEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

function validateEphemeralContainers(surroundings: Surroundings, found: Finding): void {
  const { spec } = surroundings;
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const own = found.at(index);
    validateContainer(container, surroundings, own);
    validateImageSpaces(container, own);
    if (names.has(container.name)) own.child('name').duplicate(container.name);
    names.add(container.name);
    const { targetContainerName: target } = container;
    if (target && !others.has(target)) own.child('targetContainerName').absent(target);
    const why = 'cannot be set for an Ephemeral Container';
    for (const name of forbiddenInEphemeral) {
      if (isSet(container[name])) own.child(name).forbidden(why);
    }
    for (const [at, mount] of (container.volumeMounts ?? []).entries()) {
      if (mount.subPath) own.child('volumeMounts').at(at).child('subPath').forbidden(why);
      if (mount.subPathExpr) own.child('volumeMounts').at(at).child('subPathExpr').forbidden(why);
    }
  }
}

/** Only what is not empty counts as given, as defaulting writes `resources: {}`. */
const isSet = (value: unknown): boolean =>
  value !== undefined && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0);

function validateContainer(
  container: Container | EphemeralContainer,
  { spec, volumes, claims }: Surroundings,
  found: Finding,
): void {
  const { name, image, ports, env, envFrom } = container;
  if (found.child('name').text(name)) found.child('name').problems(name, dns1123LabelProblems(name));
  found.child('image').text(image);
  found
    .child('terminationMessagePolicy')
    .requiredOneOf(container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']);
  if (ports !== undefined) validateContainerPorts(ports, found.child('ports'));
  if (env !== undefined) validateEnv(env, volumes, found.child('env'));
  if (envFrom !== undefined) validateEnvFrom(envFrom, found.child('envFrom'));
  validateMounts(container, volumes, found);
  validateDevices(container, volumes, found);
  found.child('imagePullPolicy').requiredOneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  validateRequirements(container.resources, 'container', claims, found.child('resources'));
  validateResizePolicy(container, spec, found.child('resizePolicy'));
  validateSecurityContext(container.securityContext, spec.hostUsers !== false, found.child('securityContext'));
}

function validateResizePolicy(
  { resizePolicy = [] }: Pick<Container, 'resizePolicy'>,
  spec: PodSpec,
  found: Finding,
): void {
  const names = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of resizePolicy.entries()) {
    if (names.has(resourceName)) found.at(index).duplicate(resourceName);
    names.add(resourceName);
    found.requiredOneOf(resourceName, ['cpu', 'memory']);
    found.requiredOneOf(restartPolicy, ['NotRequired', 'RestartContainer']);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      found.invalid(restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}

/** Templates may have spaces around an image (a token of some tools); pods may not. `found` stands at the container. */
export function validateImageSpaces({ image = '' }: Pick<Container, 'image'>, found: Finding): void {
  if (image !== image.trim()) found.child('image').invalid(image, 'must not have leading or trailing whitespace');
}
