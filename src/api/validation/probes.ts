import type { Container, Lifecycle, LifecycleHandler, PodSpec, Probe } from '#api/generated/core-v1.ts';
import { httpHeaderNameProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validatePortOrName } from '#api/validation/ports.ts';

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;
type Probed = Pick<Container, 'livenessProbe' | 'readinessProbe' | 'startupProbe' | 'lifecycle'>;

/** A container's probes and hooks, against those of the pod's fields that bear on them. */
export function validateProbes(container: Probed, spec: PodSpec, found: Finding): void {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  if (lifecycle !== undefined) validateLifecycle(lifecycle, spec, found.child('lifecycle'));
  if (livenessProbe !== undefined) validateOnceProbe(livenessProbe, found.child('livenessProbe'));
  if (readinessProbe !== undefined) {
    const own = found.child('readinessProbe');
    validateProbe(readinessProbe, own);
    const { terminationGracePeriodSeconds: grace } = readinessProbe;
    if (grace !== undefined) {
      own.child('terminationGracePeriodSeconds').invalid(grace, 'must not be set for readinessProbes');
    }
  }
  if (startupProbe !== undefined) validateOnceProbe(startupProbe, found.child('startupProbe'));
}

/** What init containers that end may not have. */
export function forbidProbes(container: Probed, found: Finding): void {
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[name] === undefined) continue;
    found.child(name).forbidden('may not be set for init containers without restartPolicy=Always');
  }
}

function validateOnceProbe(probe: Probe, found: Finding): void {
  validateProbe(probe, found);
  if (probe.successThreshold !== 1) found.child('successThreshold').invalid(probe.successThreshold ?? 0, 'must be 1');
}

const probeNumbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function validateProbe(probe: Probe, found: Finding): void {
  validateHandler(probe, undefined, found);
  for (const name of probeNumbers) found.child(name).nonNegative(probe[name]);
  const { terminationGracePeriodSeconds: grace } = probe;
  if (grace !== undefined && grace <= 0) {
    found.child('terminationGracePeriodSeconds').invalid(grace, 'must be greater than 0');
  }
}

function validateLifecycle(lifecycle: Lifecycle, spec: PodSpec, found: Finding): void {
  const { postStart, preStop, stopSignal } = lifecycle;
  const { terminationGracePeriodSeconds: graceSeconds } = spec;
  if (stopSignal !== undefined) validateStopSignal(stopSignal, spec, found.child('stopSignal'));
  if (postStart !== undefined) validateHandler(postStart, graceSeconds, found.child('postStart'));
  if (preStop !== undefined) validateHandler(preStop, graceSeconds, found.child('preStop'));
}

/** What a signal means is the operating system's to say (KEP-4960). */
function validateStopSignal(name: string, { os }: PodSpec, found: Finding): void {
  if (os === undefined) found.forbidden('may not be set for containers with empty `spec.os.name`');
  else found.oneOf(name, os.name === 'windows' ? windowsSignals : linuxSignals);
}

const windowsSignals = ['SIGKILL', 'SIGTERM'];
// prettier-ignore
const linuxSignals = [
  'SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT', 'SIGIO', 'SIGIOT',
  'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT', 'SIGRTMAX',
  ...Array.from({ length: 14 }, (_, n) => `SIGRTMAX-${n + 1}`), 'SIGRTMIN',
  ...Array.from({ length: 15 }, (_, n) => `SIGRTMIN+${n + 1}`), 'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP', 'SIGSYS', 'SIGTERM',
  'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1', 'SIGUSR2', 'SIGVTALRM', 'SIGWINCH', 'SIGXCPU', 'SIGXFSZ',
].toSorted();

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateHandler(handler: Handler, graceSeconds: number | undefined, found: Finding): void {
  const [first, ...others] = handlers.filter((name) => handler[name] !== undefined);
  if (first === undefined) {
    found.required('must specify a handler type');
    return;
  }
  const own = found.child(first);
  switch (first) {
    case 'exec':
      if ((handler.exec?.command?.length ?? 0) === 0) own.child('command').required();
      break;
    case 'httpGet':
      validateHttpGet(handler.httpGet, own);
      break;
    case 'tcpSocket':
      validatePortOrName(handler.tcpSocket?.port, own.child('port'));
      break;
    case 'grpc':
      validatePortOrName(handler.grpc?.port, own.child('port'));
      break;
    case 'sleep':
      validateSleep(handler.sleep?.seconds ?? 0, graceSeconds, own);
      break;
  }
  for (const name of others) found.child(name).forbidden('may not specify more than 1 handler type');
}

function validateHttpGet(action: Probe['httpGet'], found: Finding): void {
  if (!action?.path) found.child('path').required();
  validatePortOrName(action?.port, found.child('port'));
  const schemes = ['HTTP', 'HTTPS'];
  if (!schemes.includes(action?.scheme ?? '')) found.child('scheme').unsupported(action?.scheme ?? '', schemes);
  for (const { name = '' } of action?.httpHeaders ?? []) {
    found.child('httpHeaders').problems(name, httpHeaderNameProblems(name));
  }
}

function validateSleep(seconds: number, graceSeconds: number | undefined, found: Finding): void {
  // A pod without a grace period is told so elsewhere.
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return;
  found.invalid(seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`);
}
