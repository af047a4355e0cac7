import { type FieldError, tooLongValue } from '#api/field-error.ts';
import type { VolumeAttachment, VolumeError } from '#api/generated/storage-v1.ts';
import { dns1123SubdomainProblems, notInRange } from '#api/names.ts';
import { Finding } from '#api/validation/check.ts';
import { clusterName, validateImmutable, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';
import { validateInlineVolume } from '#api/validation/persistent-volume.ts';

const messageMostBytes = 1024;
const metadataMostBytes = 256 * 1024;

export const validateVolumeAttachment = (attachment: VolumeAttachment): readonly FieldError[] => [
  ...validateMeta(attachment.metadata, clusterName).errors,
  ...specErrors(attachment),
  ...statusErrors(attachment),
];

export function validateVolumeAttachmentUpdate(
  attachment: VolumeAttachment,
  old: VolumeAttachment,
): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateMetaUpdate(attachment.metadata, old.metadata).errors,
    ...statusErrors(attachment),
  ];
  validateImmutable(attachment.spec, old.spec, Finding.at('spec', errors));
  return errors;
}

function specErrors({ spec }: VolumeAttachment): readonly FieldError[] {
  const found = Finding.at('spec');
  const attacher = spec?.attacher ?? '';
  if (found.child('attacher').text(attacher))
    found.child('attacher').problems(attacher, dns1123SubdomainProblems(attacher));
  const { inlineVolumeSpec, persistentVolumeName } = spec?.source ?? {};
  const source = found.child('source');
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) source.required(one);
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) source.forbidden(one);
  else if (inlineVolumeSpec !== undefined) validateInlineVolume(inlineVolumeSpec, source.child('inlineVolumeSpec'));
  else {
    const own = source.child('persistentVolumeName');
    if (own.text(persistentVolumeName, 'must specify non empty persistentVolumeName'))
      own.problems(persistentVolumeName, dns1123SubdomainProblems(persistentVolumeName));
  }
  const nodeName = spec?.nodeName ?? '';
  found.child('nodeName').problems(nodeName, dns1123SubdomainProblems(nodeName));
  return found.errors;
}

function statusErrors({ status }: VolumeAttachment): readonly FieldError[] {
  const found = Finding.at('status');
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const own = found.child('attachmentMetadata');
  if (metadata.reduce((sum, [key, value]) => sum + bytesOf(key) + bytesOf(value), 0) > metadataMostBytes)
    own.add(tooLongValue(own, metadataMostBytes));
  validateError(status?.attachError, found.child('attachError'));
  validateError(status?.detachError, found.child('detachError'));
  return found.errors;
}

function validateError(error: VolumeError | undefined, found: Finding): void {
  const message = found.child('message');
  if (bytesOf(error?.message ?? '') > messageMostBytes) message.add(tooLongValue(message, messageMostBytes));
  const code = error?.errorCode;
  if (code !== undefined && code < 0) found.child('errorCode').invalid(code, notInRange(0, 2 ** 31 - 1));
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
