import type { KubeletDeps } from '#kubelet/kubelet-deps.ts';
import { Turnstile } from '#lib/turnstile.ts';

/**
 * A hundred pods at once are up a sixth sooner when the runtime makes a few of their sandboxes at a time than when it makes all side
 * by side: plugins and shims get into each other's way (test/bench/hundred.ts).
 */
const SANDBOXES_PER_CPU = 3;
/** Most take a fraction of this; one that hangs is not to hold up the others. */
const SANDBOX_PATIENCE_MS = 5000;

export const sandboxTurns = ({ clock, host }: Pick<KubeletDeps, 'clock' | 'host'>): Turnstile =>
  new Turnstile({ clock, atOnce: SANDBOXES_PER_CPU * host.machine.cpus, patienceMs: SANDBOX_PATIENCE_MS });
