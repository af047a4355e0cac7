import { humanDuration } from '#cli/human-duration.ts';
import type { FollowedPod } from '#cli/followed-pod.ts';
import type { Stage } from '#cli/pod-progress.ts';
import type { Terminal } from '#cli/terminal.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

/** A line a pod and, below it, a line a container: what each is at, and for how long. */
export function drawing(pods: readonly FollowedPod[], now: number, terminal: Terminal): readonly string[] {
  return pods.flatMap((pod) => {
    const { progress, ref } = pod;
    if (progress === undefined) return [`${markOf('working', now, terminal)} ${ref.name}`];
    const width = Math.max(...progress.containers.map(({ name }) => name.length));
    const part = (name: string, stage: Stage): string => {
      const lasts = stage.kind === 'ready' || stage.kind === 'completed' ? '' : humanDuration(now - pod.since(name));
      return `${stage.text || 'waiting'}  ${terminal.style('dim', lasts)}`.trimEnd();
    };
    return [
      `${markOf(progress.stage.kind, now, terminal)} ${terminal.style('bold', ref.name)}  ${part('', progress.stage)}`,
      ...progress.containers.map(
        ({ name, stage }) => `  ${markOf(stage.kind, now, terminal)} ${name.padEnd(width)}  ${part(name, stage)}`,
      ),
    ];
  });
}

function markOf(kind: Stage['kind'], now: number, terminal: Terminal): string {
  switch (kind) {
    case 'ready':
    case 'completed':
      return terminal.style('green', '✔');
    case 'trouble':
      return terminal.style('red', '✖');
    case 'waiting':
    case 'working':
    case 'started':
      return terminal.style('cyan', FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length]!);
  }
}
