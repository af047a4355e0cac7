import type { Namespace, ServiceAccount } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';

export type ServiceAccountPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'create'; readonly object: New<ServiceAccount> };

/** Every namespace has an account for pods that name none. One that exists is left as it is: users add secrets to it. */
export function planServiceAccount(
  namespace: Namespace | undefined,
  account: ServiceAccount | undefined,
): ServiceAccountPlan {
  if (!namespace || account) return { kind: 'nothing' };
  if (namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === 'Terminating')
    return { kind: 'nothing' };
  const metadata = { name: 'default', namespace: namespace.metadata.name };
  return { kind: 'create', object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } };
}
