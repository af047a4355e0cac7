/**
 * Kernel parameters that pods may set: those the kernel keeps apart by a namespace that a pod can have for itself. Names are
 * written with dots (`net.ipv4.tcp_syncookies`) or, where a part has a dot of its own, with slashes.
 */
export type SysctlNamespace = 'ipc' | 'net';

/** In dots, as runtimes want it: what is first, a dot or a slash, is what separates. */
export function dottedSysctl(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== '/') return name;
  return name.replaceAll(/[./]/g, (one) => (one === '/' ? '.' : '/'));
}

/** Of a name in dots, or of the beginning of one; undefined for what belongs to the whole machine. */
export function sysctlNamespace(dotted: string): SysctlNamespace | undefined {
  if (dotted.startsWith('net.')) return 'net';
  const ipc =
    dotted === 'kernel.sem' || ['kernel.shm', 'kernel.msg', 'fs.mqueue.'].some((each) => dotted.startsWith(each));
  return ipc ? 'ipc' : undefined;
}
