/** Which Go packages the table of facts is made of, and under which names. */
export interface FactPackage {
  /** How the table and everything made from it call the package: `core/v1`. */
  readonly id: string;
  /** Import path; below the source directory without its leading `k8s.io/`. */
  readonly path: string;
  readonly group: string;
  readonly version: string;
}

const api = (name: string, group: string, version = 'v1'): FactPackage => ({
  id: `${name}/${version}`,
  path: `k8s.io/api/${name}/${version}`,
  group,
  version,
});

export const factPackages: readonly FactPackage[] = [
  // Its own kinds (Table, PartialObjectMetadata) are of meta.k8s.io; Status, DeleteOptions and the like are known to every group.
  { id: 'meta/v1', path: 'k8s.io/apimachinery/pkg/apis/meta/v1', group: 'meta.k8s.io', version: 'v1' },
  api('core', ''),
  api('admission', 'admission.k8s.io'),
  api('admissionregistration', 'admissionregistration.k8s.io'),
  {
    id: 'apiextensions/v1',
    path: 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
    group: 'apiextensions.k8s.io',
    version: 'v1',
  },
  api('apidiscovery', 'apidiscovery.k8s.io', 'v2'),
  api('apps', 'apps'),
  api('authentication', 'authentication.k8s.io'),
  api('authorization', 'authorization.k8s.io'),
  api('autoscaling', 'autoscaling'),
  api('autoscaling', 'autoscaling', 'v2'),
  api('batch', 'batch'),
  api('certificates', 'certificates.k8s.io'),
  api('coordination', 'coordination.k8s.io'),
  api('discovery', 'discovery.k8s.io'),
  api('events', 'events.k8s.io'),
  api('flowcontrol', 'flowcontrol.apiserver.k8s.io'),
  api('networking', 'networking.k8s.io'),
  api('node', 'node.k8s.io'),
  api('policy', 'policy'),
  api('rbac', 'rbac.authorization.k8s.io'),
  api('resource', 'resource.k8s.io'),
  api('scheduling', 'scheduling.k8s.io'),
  api('storage', 'storage.k8s.io'),
];

/**
 * String types whose values upstream checks although the source has no `+enum` on them:
 * the TypeScript unions of these are closed, their OpenAPI schemas remain plain strings as upstream's.
 */
export const closedWithoutMarker: readonly string[] = [
  'apidiscovery/v2.DiscoveryFreshness',
  'apidiscovery/v2.ResourceScope',
  'apiextensions/v1.ConditionStatus',
  'apiextensions/v1.ConversionStrategyType',
  'apiextensions/v1.ResourceScope',
  'apps/v1.PersistentVolumeClaimRetentionPolicyType',
  'autoscaling/v2.HPAScalingPolicyType',
  'autoscaling/v2.MetricSourceType',
  'autoscaling/v2.MetricTargetType',
  'autoscaling/v2.ScalingPolicySelect',
  'core/v1.ConditionStatus',
  'core/v1.ContainerRestartPolicy',
  'core/v1.ContainerRestartRuleAction',
  'core/v1.ContainerRestartRuleOnExitCodesOperator',
  'core/v1.LoadBalancerIPMode',
  'core/v1.PodResizeStatus',
  'core/v1.PodSELinuxChangePolicy',
  'core/v1.RecursiveReadOnlyMode',
  'core/v1.ResourceResizeRestartPolicy',
  'flowcontrol/v1.ConditionStatus',
  'flowcontrol/v1.FlowDistinguisherMethodType',
  'flowcontrol/v1.LimitResponseType',
  'flowcontrol/v1.PriorityLevelEnablement',
  'flowcontrol/v1.SubjectKind',
  'meta/v1.ConditionStatus',
  'meta/v1.DeletionPropagation',
  'meta/v1.FieldSelectorOperator',
  'meta/v1.IncludeObjectPolicy',
  'meta/v1.LabelSelectorOperator',
  'meta/v1.ManagedFieldsOperationType',
  'meta/v1.ResourceVersionMatch',
  'storage/v1.FSGroupPolicy',
  'storage/v1.VolumeLifecycleMode',
];
