import type { ISCSIVolumeSource } from '#api/generated/core-v1.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, notInRange } from '#api/names.ts';
import { tooLongValue } from '#api/field-error.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateDescendingPath } from '#api/validation/paths.ts';
import { sourceRule, type SourceRule } from '#api/validation/source-rule.ts';

/** Volumes of storage systems and clouds: no node of ours mounts them, but the API takes what is well formed. */
export const rareSources: readonly SourceRule[] = [
  sourceRule('gitRepo', ({ repository, directory = '' }, found) => {
    found.child('repository').text(repository);
    validateDescendingPath(directory, found.child('directory'));
  }),
  sourceRule(
    'gcePersistentDisk',
    ({ pdName, partition = 0 }, found) => {
      found.child('pdName').text(pdName);
      validatePartition(partition, found.child('partition'));
    },
    'persistentDisk',
  ),
  sourceRule('awsElasticBlockStore', ({ volumeID, partition = 0 }, found) => {
    found.child('volumeID').text(volumeID);
    validatePartition(partition, found.child('partition'));
  }),
  sourceRule('nfs', (source, found) => {
    const path = source.path ?? '';
    found.child('server').text(source.server);
    found.child('path').text(path);
    if (!path.startsWith('/')) found.child('path').invalid(path, 'must be an absolute path');
  }),
  sourceRule('iscsi', validateIscsi),
  sourceRule('glusterfs', ({ endpoints, path }, found) => {
    found.child('endpoints').text(endpoints);
    found.child('path').text(path);
  }),
  sourceRule('flocker', ({ datasetName = '', datasetUUID = '' }, found) => {
    if (!datasetName && !datasetUUID) found.required('one of datasetName and datasetUUID is required');
    if (datasetName && datasetUUID) {
      found.invalid('resource', 'datasetName and datasetUUID can not be specified simultaneously');
    }
    if (datasetName.includes('/')) found.child('datasetName').invalid(datasetName, "must not contain '/'");
  }),
  sourceRule('rbd', ({ monitors, image }, found) => {
    if ((monitors ?? []).length === 0) found.child('monitors').required();
    found.child('image').text(image);
  }),
  sourceRule('cinder', ({ volumeID, secretRef }, found) => {
    found.child('volumeID').text(volumeID);
    if (secretRef !== undefined) found.child('secretRef').child('name').text(secretRef.name);
  }),
  sourceRule('cephfs', ({ monitors }, found) => {
    if ((monitors ?? []).length === 0) found.child('monitors').required();
  }),
  sourceRule('quobyte', ({ tenant = '', volume, ...source }, found) => {
    const registry = source.registry ?? '';
    const why = 'must be a host:port pair or multiple pairs separated by commas';
    if (registry === '') found.child('registry').required(why);
    else if (tenant.length >= 65) {
      found.child('tenant').required('must be a UUID and may not exceed a length of 64 characters');
    } else if (!registry.split(',').every((pair) => /^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair))) {
      found.child('registry').invalid(registry, why);
    }
    found.child('volume').text(volume);
  }),
  sourceRule('fc', ({ targetWWNs = [], wwids = [], lun }, found) => {
    const own = found.child('targetWWNs');
    if (targetWWNs.length === 0 && wwids.length === 0) {
      own.required('must specify either targetWWNs or wwids, but not both');
    } else if (targetWWNs.length > 0 && wwids.length > 0) {
      own.invalid(targetWWNs, 'targetWWNs and wwids can not be specified simultaneously');
    }
    if (targetWWNs.length === 0) return;
    if (lun === undefined) found.child('lun').required('lun is required if targetWWNs is specified');
    else validateLun(lun, found.child('lun'));
  }),
  sourceRule('flexVolume', ({ driver, options }, found) => {
    found.child('driver').text(driver);
    for (const key of Object.keys(options ?? {})) {
      if (!/(^|\.)(kubernetes|k8s)\.io$/.test((key.split('/')[0] ?? '').toLowerCase())) continue;
      found.child('options').key(key).invalid(key, 'kubernetes.io and k8s.io namespaces are reserved');
    }
  }),
  sourceRule('azureFile', ({ secretName, shareName }, found) => {
    found.child('secretName').text(secretName);
    found.child('shareName').text(shareName);
  }),
  sourceRule('vsphereVolume', ({ volumePath }, found) => {
    found.child('volumePath').text(volumePath);
  }),
  sourceRule('photonPersistentDisk', ({ pdID }, found) => {
    found.child('pdID').text(pdID);
  }),
  sourceRule('portworxVolume', ({ volumeID }, found) => {
    found.child('volumeID').text(volumeID);
  }),
  sourceRule('azureDisk', ({ diskName, cachingMode, kind, ...source }, found) => {
    const diskURI = source.diskURI ?? '';
    found.child('diskName').text(diskName);
    found.child('diskURI').text(diskURI);
    found.child('cachingMode').oneOf(cachingMode, ['None', 'ReadOnly', 'ReadWrite']);
    found.child('kind').oneOf(kind, ['Dedicated', 'Managed', 'Shared']);
    if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) {
      found.child('diskURI').unsupported(diskURI, [managedDisk]);
    } else if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://')) {
      found.child('diskURI').unsupported(diskURI, [blobDisk]);
    }
  }),
  sourceRule('storageos', ({ volumeName, volumeNamespace, secretRef }, found) => {
    const own = found.child('volumeName');
    if (own.text(volumeName)) own.problems(volumeName, dns1123LabelProblems(volumeName));
    if (volumeNamespace)
      found.child('volumeNamespace').problems(volumeNamespace, dns1123LabelProblems(volumeNamespace));
    if (secretRef !== undefined) found.child('secretRef').child('name').text(secretRef.name);
  }),
  sourceRule('scaleIO', ({ gateway, system, volumeName }, found) => {
    found.child('gateway').text(gateway);
    found.child('system').text(system);
    found.child('volumeName').text(volumeName);
  }),
  sourceRule('csi', ({ nodePublishSecretRef, ...source }, found) => {
    const driver = source.driver ?? '';
    const own = found.child('driver');
    own.text(driver);
    if (driver.length > 63) own.add(tooLongValue(own, 63));
    own.problems(driver, dns1123SubdomainProblems(driver.toLowerCase()));
    if (nodePublishSecretRef === undefined) return;
    const { name } = nodePublishSecretRef;
    if (found.child('nodePublishSecretRef').child('name').text(name)) {
      found.child('name').problems(name, dns1123SubdomainProblems(name));
    }
  }),
];

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function validatePartition(partition: number, found: Finding): void {
  if (partition < 0 || partition > 255) found.invalid(partition, notInRange(1, 255));
}

function validateLun(lun: number, found: Finding): void {
  if (lun < 0 || lun > 255) found.invalid(lun, notInRange(0, 255));
}

function validateIscsi(source: ISCSIVolumeSource, found: Finding): void {
  const { targetPortal, iqn, lun, initiatorName, secretRef } = source;
  found.child('targetPortal').text(targetPortal);
  if (found.child('iqn').text(iqn)) validateIqn(iqn, found.child('iqn'));
  validateLun(lun ?? 0, found.child('lun'));
  const needsSecret = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (needsSecret && secretRef === undefined) found.child('secretRef').required();
  if (initiatorName !== undefined) validateIqn(initiatorName, found.child('initiatorname'));
}

function validateIqn(name: string, found: Finding): void {
  if (!/^(iqn|eui|naa)/.test(name)) found.invalid(name, 'must be valid format starting with iqn, eui, or naa');
  else if (
    !/^iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$|^eui.[A-Za-z0-9]{16}$|^naa.[A-Za-z0-9]{32}$/.test(name)
  ) {
    found.invalid(name, 'must be valid format');
  }
}
