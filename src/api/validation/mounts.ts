import type { Container, Volume, VolumeMount } from '#api/generated/core-v1.ts';
import type { Finding } from '#api/validation/check.ts';
import { hasBacksteps, validateDescendingPath } from '#api/validation/paths.ts';

export type Volumes = ReadonlyMap<string, Volume>;
type Mounting = Pick<Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;

/** Each mount names a volume of the pod, and no two share a path. `found` stands at the container. */
export function validateMounts(container: Mounting, volumes: Volumes, found: Finding): void {
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const own = found.child('volumeMounts').at(index);
    const name = mount.name ?? '';
    const mountPath = mount.mountPath ?? '';
    if (name === '') own.child('name').required();
    const volume = volumes.get(name);
    if (volume === undefined) own.child('name').absent(name);
    if (mountPath === '') own.child('mountPath').required();
    if (paths.has(mountPath)) own.child('mountPath').invalid(mountPath, 'must be unique');
    paths.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      own.child('name').invalid(name, 'must not already exist in volumeDevices');
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      own.child('mountPath').invalid(mountPath, 'must not already exist as a path in volumeDevices');
    }
    validateSubPaths(mount, volume, own);
    validatePropagation(mount, container, own);
    validateRecursiveReadOnly(mount, own);
  }
}

function validateSubPaths(
  { subPath = '', subPathExpr = '' }: VolumeMount,
  volume: Volume | undefined,
  own: Finding,
): void {
  if (volume?.image !== undefined) {
    const why = 'not allowed in image volume sources';
    if (subPath !== '') own.child('subPath').invalid(subPath, why);
    if (subPathExpr !== '') own.child('subPathExpr').invalid(subPathExpr, why);
  }
  if (subPath !== '') validateDescendingPath(subPath, own.child('subPath'));
  if (subPathExpr === '') return;
  if (subPath !== '') own.child('subPathExpr').invalid(subPathExpr, 'subPathExpr and subPath are mutually exclusive');
  validateDescendingPath(subPathExpr, own.child('subPathExpr'));
}

function validatePropagation({ mountPropagation }: VolumeMount, container: Mounting, own: Finding): void {
  const found = own.child('mountPropagation');
  found.oneOf(mountPropagation, ['Bidirectional', 'HostToContainer', 'None']);
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    found.forbidden('Bidirectional mount propagation is available only to privileged containers');
  }
}

function validateRecursiveReadOnly(mount: VolumeMount, own: Finding): void {
  const { recursiveReadOnly: mode, mountPropagation } = mount;
  if (mode === undefined) return;
  const found = own.child('recursiveReadOnly');
  found.oneOf(mode, ['Disabled', 'Enabled', 'IfPossible']);
  if (mode !== 'Enabled' && mode !== 'IfPossible') return;
  if (mount.readOnly !== true) found.forbidden('may only be specified when readOnly is true');
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    found.forbidden('may only be specified when mountPropagation is None or not specified');
  }
}

/** Raw block devices, which only claims can be. `found` stands at the container. */
export function validateDevices(container: Mounting, volumes: Volumes, found: Finding): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const own = found.child('volumeDevices').at(index);
    const name = device.name ?? '';
    const devicePath = device.devicePath ?? '';
    if (name === '') own.child('name').required();
    if (names.has(name)) own.child('name').invalid(name, 'must be unique');
    const volume = volumes.get(name);
    if (volume === undefined) own.child('name').absent(name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const why = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      own.child('name').invalid(name, why);
    }
    if (devicePath === '') own.child('devicePath').required();
    if (paths.has(devicePath)) own.child('devicePath').invalid(devicePath, 'must be unique');
    if (hasBacksteps(devicePath)) own.child('devicePath').invalid(devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      own.child('name').invalid(name, 'must not already exist in volumeMounts');
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      own.child('devicePath').invalid(devicePath, 'must not already exist as a path in volumeMounts');
    }
    if (name !== '') names.add(name);
  }
}
