import { ApiError, badRequest } from '#api/errors.ts';
import { kindFacts } from '#api/fact-table.ts';
import { invalid, invalidValue } from '#api/field-error.ts';
import { rootPath } from '#api/field-path.ts';
import { applyJsonPatch } from '#api/json-patch.ts';
import { applyMergePatch } from '#api/merge-patch.ts';
import type { KubeObject } from '#api/meta.ts';
import { PatchError } from '#api/patch-error.ts';
import { applyStrategicMergePatch } from '#api/strategic-merge-patch.ts';
import { checkFields, strictDecodingError } from '#api/strict.ts';
import { fieldValidationOf } from '#server/decode.ts';
import type { Descriptor } from '#server/descriptor.ts';

export interface PatchRequest {
  readonly contentType: string;
  readonly body: unknown;
  /** `fieldValidation`: Strict, Warn or Ignore. */
  readonly validation: string | undefined;
  readonly warn: (message: string) => void;
}

export const patchTypes: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

/** The object as the patch makes it; pure, so that it can be applied again to a newer version. */
export function applyPatch(request: PatchRequest, descriptor: Descriptor, old: KubeObject): KubeObject {
  try {
    return checked(request, descriptor, patched(request, old));
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw refusal(error);
  }
}

function patched({ contentType, body }: PatchRequest, old: KubeObject): unknown {
  switch (contentType) {
    case 'application/json-patch+json':
      return applyJsonPatch(old, body);
    case 'application/merge-patch+json':
      return applyMergePatch(old, body);
    case 'application/strategic-merge-patch+json':
      return applyStrategicMergePatch(old, body);
    case 'application/apply-patch+yaml':
    case 'application/apply-patch+cbor':
      throw new ApiError('UnsupportedMediaType', 'server-side apply is not supported yet; use a client-side apply');
    default: {
      const supported = patchTypes.join(', ');
      const why = `the body of the request was in an unknown format - accepted media types include: ${supported}`;
      throw new ApiError('UnsupportedMediaType', why);
    }
  }
}

/** What a patch has made must be an object of the kind, whatever the patch was. */
function checked(request: PatchRequest, descriptor: Descriptor, value: unknown): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('the patch makes no object');
  const object = value as KubeObject;
  if (typeof object.metadata !== 'object' || object.metadata === null)
    throw badRequest('the patch takes metadata away');
  if (object.kind !== descriptor.kind) throw badRequest(`the patch changes the kind to ${object.kind}`);
  const facts = kindFacts(object.apiVersion, object.kind);
  if (!facts) return object;
  const { unknown, mismatch } = checkFields(facts, object);
  const problem = mismatch ?? (unknown.length > 0 ? strictDecodingError(unknown) : undefined);
  if (problem === undefined) return object;
  const validation = fieldValidationOf(request.validation);
  if (mismatch !== undefined || validation === 'Strict') {
    throw invalid({ group: '', kind: '' }, '', [
      invalidValue(rootPath('patch'), JSON.stringify(request.body), problem),
    ]);
  }
  if (validation === 'Warn') unknown.forEach(request.warn);
  return object;
}

function refusal(error: PatchError): ApiError {
  switch (error.code) {
    case 400:
      return new ApiError('BadRequest', error.message, { cause: error });
    case 413:
      return new ApiError('RequestEntityTooLarge', error.message, { cause: error });
    case 422:
      return new ApiError('Invalid', 'the server rejected our request due to an error in our request', {
        cause: error,
        details: { causes: [{ reason: 'UnexpectedServerResponse', message: error.message }] },
      });
    case 500:
      return new ApiError('InternalError', `Internal error occurred: ${error.message}`, { cause: error });
  }
}
