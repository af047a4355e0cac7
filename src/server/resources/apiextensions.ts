import type { Descriptor } from '#server/descriptor.ts';
import { declare, strategy } from '#server/resources/strategy.ts';

/**
 * Custom resources are not built yet, but kubectl lists their definitions to find out about a kind it does not know: an
 * answer, if an empty one, is what lets it say so (`no matches for kind "Pdo"`). Nothing can be created here.
 */
const customResourceDefinitions = declare({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  shortNames: ['crd', 'crds'],
  verbs: ['get', 'list', 'watch'],
  strategy: strategy({ generation: () => false }),
});

export const apiExtensionsGroup: readonly Descriptor[] = [customResourceDefinitions];
