import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateDirectory } from '#host/data-dir.ts';
import { isErrno } from '#host/proc.ts';
import { toToml } from '#host/containerd/config.ts';

export interface RegistryHosts {
  /** Asked in order before `server`, for pulling. URLs without a path. */
  readonly mirrors: readonly string[];
  /** Asked last. Absent: the registry itself, as its name says. Give a mirror's URL to ask nobody else. */
  readonly server?: string;
}

/**
 * Makes `directory` say exactly this: REGISTRY/hosts.toml for every registry named, `_default` standing for all others.
 * containerd reads these anew at every pull, so no restart is needed.
 */
export function writeRegistryHosts(directory: string, registries: Readonly<Record<string, RegistryHosts>>): void {
  privateDirectory(directory);
  for (const name of readdirSync(directory)) {
    if (!(name in registries)) rmSync(join(directory, name), { recursive: true });
  }
  for (const [name, hosts] of Object.entries(registries)) {
    privateDirectory(join(directory, name));
    writeIfChanged(join(directory, name, 'hosts.toml'), hostsToml(hosts));
  }
}

export function hostsToml({ mirrors, server }: RegistryHosts): string {
  const host = Object.fromEntries(mirrors.map((url) => [url, { capabilities: ['pull', 'resolve'] }]));
  return toToml({ ...(server === undefined ? {} : { server }), host });
}

function writeIfChanged(file: string, text: string): void {
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  writeFileSync(file, text, { mode: 0o600 });
}
