/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { UserInfo } from '#api/generated/authentication-v1.ts';
import type { GroupVersionKind, GroupVersionResource, RawExtension, Status } from '#api/generated/meta-v1.ts';

export interface AdmissionRequest {
  readonly uid?: string;
  readonly kind?: GroupVersionKind;
  readonly resource?: GroupVersionResource;
  readonly subResource?: string;
  readonly requestKind?: GroupVersionKind;
  readonly requestResource?: GroupVersionResource;
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation?: Operation;
  readonly userInfo?: UserInfo;
  readonly object?: RawExtension;
  readonly oldObject?: RawExtension;
  readonly dryRun?: boolean;
  readonly options?: RawExtension;
}

export interface AdmissionResponse {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: Status;
  readonly patch?: string;
  readonly patchType?: PatchType;
  readonly auditAnnotations?: { readonly [key: string]: string };
  readonly warnings?: readonly string[];
}

export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly request?: AdmissionRequest;
  readonly response?: AdmissionResponse;
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT' | (string & {});

export type PatchType = 'JSONPatch' | (string & {});
