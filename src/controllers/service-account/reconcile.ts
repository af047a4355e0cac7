import type { Namespace, ServiceAccount } from '#api/generated/core-v1.ts';
import { keyOfRef, refOfKey, type ObjectKey } from '#api/meta.ts';
import type { Informer } from '#client/informer.ts';
import { serviceAccountResource } from '#client/resources.ts';
import { settled, type MakeController } from '#controllers/controller.ts';
import { unlessGoing } from '#controllers/in-namespace.ts';
import { planServiceAccount } from '#controllers/service-account/plan.ts';

/** Keeps a `default` ServiceAccount in every active namespace. Keys are namespaces' names. */
export const serviceAccountController =
  (copies: { readonly namespaces: Informer<Namespace>; readonly accounts: Informer<ServiceAccount> }): MakeController =>
  (client) => ({
    name: 'service-account',
    reads: [copies.namespaces, copies.accounts],
    watch(enqueue) {
      const watching = new DisposableStack();
      watching.use(copies.namespaces.onChange(({ key, after }) => after && enqueue(key)));
      watching.use(
        copies.accounts.onChange(({ before, after }) => {
          const { name, namespace } = before?.metadata ?? {};
          if (!after && name === 'default' && namespace !== undefined) enqueue(namespace as ObjectKey);
        }),
      );
      return watching;
    },
    async reconcile(key, signal) {
      const { name: namespace } = refOfKey(key);
      const account = copies.accounts.get(keyOfRef({ namespace, name: 'default' }));
      const plan = planServiceAccount(copies.namespaces.get(key), account);
      if (plan.kind === 'create') await unlessGoing(client.create(serviceAccountResource, plan.object, signal));
      return settled;
    },
  });
