/** Manifests that several tests use; all from images that take no time. */

/** Ends at once when it is told to: PID 1 gets no signal that it has not asked for. */
export const sleeperCommand = "trap 'exit 0' TERM; sleep 1000 & wait";

/** A pod that does nothing, in one container called `main`. */
export const sleeper = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  podOf(name, { command: ['sh', '-c', sleeperCommand] }, labels);

/** A pod of one container, as JSON: kubectl takes it for YAML. */
export const podOf = (name: string, container: object, labels: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'main', image: 'busybox', ...container }] },
  });
