/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { ConditionStatus } from '#api/generated/core-v1.ts';
import type { ListMeta, Time } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface CertificateSigningRequest {
  readonly apiVersion: 'certificates.k8s.io/v1';
  readonly kind: 'CertificateSigningRequest';
  readonly metadata: KubeObject['metadata'];
  readonly spec: CertificateSigningRequestSpec;
  readonly status?: CertificateSigningRequestStatus;
}

export interface CertificateSigningRequestCondition {
  readonly type: RequestConditionType;
  readonly status: ConditionStatus;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: Time;
  readonly lastTransitionTime?: Time;
}

export interface CertificateSigningRequestList {
  readonly apiVersion: 'certificates.k8s.io/v1';
  readonly kind: 'CertificateSigningRequestList';
  readonly metadata: ListMeta;
  readonly items: readonly CertificateSigningRequest[];
}

export interface CertificateSigningRequestSpec {
  readonly request: string;
  readonly signerName: string;
  readonly expirationSeconds?: number;
  readonly usages?: readonly KeyUsage[];
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

export interface CertificateSigningRequestStatus {
  readonly conditions?: readonly CertificateSigningRequestCondition[];
  readonly certificate?: string;
}

export type ExtraValue = readonly string[];

export type KeyUsage = 'signing' | 'digital' | 'signature' | 'content' | 'commitment' | 'key' | 'encipherment' | 'key' | 'agreement' | 'data' | 'encipherment' | 'cert' | 'sign' | 'crl' | 'sign' | 'encipher' | 'only' | 'decipher' | 'only' | 'any' | 'server' | 'auth' | 'client' | 'auth' | 'code' | 'signing' | 'email' | 'protection' | 's/mime' | 'ipsec' | 'end' | 'system' | 'ipsec' | 'tunnel' | 'ipsec' | 'user' | 'timestamping' | 'ocsp' | 'signing' | 'microsoft' | 'sgc' | 'netscape' | 'sgc';

export type RequestConditionType = 'Approved' | 'Denied' | 'Failed' | (string & {});
