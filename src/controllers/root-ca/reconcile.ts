import type { ConfigMap, Namespace } from '#api/generated/core-v1.ts';
import { keyOfRef, refOfKey, type ObjectKey } from '#api/meta.ts';
import type { Informer } from '#client/informer.ts';
import { configMapResource } from '#client/resources.ts';
import { settled, type MakeController } from '#controllers/controller.ts';
import { unlessGoing } from '#controllers/in-namespace.ts';
import { planRootCa, rootCaName } from '#controllers/root-ca/plan.ts';
import { unreachable } from '#lib/unreachable.ts';

export interface RootCaOptions {
  readonly namespaces: Informer<Namespace>;
  /** One that holds at least the ConfigMaps of this name: `fieldSelector: 'metadata.name=kube-root-ca.crt'` will do. */
  readonly configMaps: Informer<ConfigMap>;
  /** PEM. */
  readonly certificate: string;
}

/** Keeps `kube-root-ca.crt` in every active namespace, and as it should be. Keys are namespaces' names. */
export const rootCaController =
  ({ namespaces, configMaps, certificate }: RootCaOptions): MakeController =>
  (client) => ({
    name: 'root-ca',
    reads: [namespaces, configMaps],
    watch(enqueue) {
      const watching = new DisposableStack();
      watching.use(namespaces.onChange(({ key, after }) => after && enqueue(key)));
      watching.use(
        configMaps.onChange(({ before, after }) => {
          const { name, namespace } = (after ?? before)?.metadata ?? {};
          if (name === rootCaName && namespace !== undefined) enqueue(namespace as ObjectKey);
        }),
      );
      return watching;
    },
    async reconcile(key, signal) {
      const { name: namespace } = refOfKey(key);
      const configMap = configMaps.get(keyOfRef({ namespace, name: rootCaName }));
      const plan = planRootCa(namespaces.get(key), configMap, certificate);
      switch (plan.kind) {
        case 'nothing':
          break;
        case 'create':
          await unlessGoing(client.create(configMapResource, plan.object, signal));
          break;
        case 'update':
          await client.update(configMapResource, plan.object, signal);
          break;
        default:
          unreachable(plan);
      }
      return settled;
    },
  });
