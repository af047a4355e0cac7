/** Facts of Kubernetes' API types, a text for each package. Made by tools/facts/extract.ts, not edited by hand; fact-table.ts reads it. */
export const factTexts: Readonly<Record<string, string>> = {
  'meta/v1': `
package meta/v1 k8s.io/apimachinery/pkg/apis/meta/v1
group meta.k8s.io v1
kind APIGroup
 name string r 1
 versions []GroupVersionForDiscovery r 2 list=atomic
 preferredVersion GroupVersionForDiscovery o 3
 serverAddressByClientCIDRs []ServerAddressByClientCIDR o 4 list=atomic
kind APIGroupList
 groups []APIGroup r 1 list=atomic
type APIResource
 name string r 1
 singularName string r 6
 namespaced bool r 2
 group string o 8
 version string o 9
 kind string r 3
 verbs Verbs r 4
 shortNames []string o 5 list=atomic
 categories []string o 7 list=atomic
 storageVersionHash string o 10
kind APIResourceList
 groupVersion string r 1
 resources []APIResource r 2 list=atomic
kind APIVersions
 versions []string r 1 list=atomic
 serverAddressByClientCIDRs []ServerAddressByClientCIDR r 2 list=atomic
kind ApplyOptions
 dryRun []string o 1 list=atomic
 force bool r 2
 fieldManager string r 3
open CauseType FieldValueNotFound FieldValueRequired FieldValueDuplicate FieldValueInvalid FieldValueNotSupported FieldValueForbidden FieldValueTooLong FieldValueTooMany InternalError FieldValueTypeInvalid UnexpectedServerResponse FieldManagerConflict ResourceVersionTooLarge
type Condition
 type string r 1
 status ConditionStatus r 2
 observedGeneration int64 o 3
 lastTransitionTime time r 4
 reason string r 5
 message string r 6
closed ConditionStatus True False Unknown
kind CreateOptions
 dryRun []string o 1 list=atomic
 fieldManager string o 3
 fieldValidation string o 4
kind DeleteOptions
 gracePeriodSeconds int64 *o 1
 preconditions Preconditions *o 2
 orphanDependents bool *o 3
 propagationPolicy DeletionPropagation *o 4
 dryRun []string o 5 list=atomic
 ignoreStoreReadErrorWithClusterBreakingPotential bool *o 6
closed DeletionPropagation Orphan Background Foreground
closed FieldSelectorOperator In NotIn Exists DoesNotExist
type FieldSelectorRequirement
 key string r 1
 operator FieldSelectorOperator r 2
 values []string o 3 list=atomic
kind GetOptions
 resourceVersion string o 1
type GroupKind
 group string r 1
 kind string r 2
type GroupResource
 group string r 1
 resource string r 2
type GroupVersion
 group string r 1
 version string r 2
type GroupVersionForDiscovery
 groupVersion string r 1
 version string r 2
type GroupVersionKind
 group string r 1
 version string r 2
 kind string r 3
type GroupVersionResource
 group string r 1
 version string r 2
 resource string r 3
closed IncludeObjectPolicy None Metadata Object
type LabelSelector
 matchLabels {}string o 1
 matchExpressions []LabelSelectorRequirement o 2 list=atomic
closed LabelSelectorOperator In NotIn Exists DoesNotExist
type LabelSelectorRequirement
 key string r 1
 operator LabelSelectorOperator r 2
 values []string o 3 list=atomic
kind List
 metadata ListMeta o 1
 items []raw r 2
type ListMeta
 selfLink string o 1
 resourceVersion string o 2
 continue string o 3
 remainingItemCount int64 *o 4
 shardInfo ShardInfo *o 5
kind ListOptions
 labelSelector string o 1
 fieldSelector string o 2
 watch bool o 3
 allowWatchBookmarks bool o 9
 resourceVersion string o 4
 resourceVersionMatch ResourceVersionMatch o 10
 timeoutSeconds int64 *o 5
 limit int64 o 7
 continue string o 8
 sendInitialEvents bool *o 11
 shardSelector string o 15
type ManagedFieldsEntry
 manager string o 1
 operation ManagedFieldsOperationType o 2
 apiVersion string o 3
 time time *o 4
 fieldsType string o 6
 fieldsV1 fieldsV1 *o 7
 subresource string o 8
closed ManagedFieldsOperationType Apply Update
type ObjectMeta
 name string o 1
 generateName string o 2
 namespace string o 3
 selfLink string o 4
 uid string o 5
 resourceVersion string o 6
 generation int64 o 7
 creationTimestamp time oz 8
 deletionTimestamp time *o 9
 deletionGracePeriodSeconds int64 *o 10
 labels {}string o 11
 annotations {}string o 12
 ownerReferences []OwnerReference o 13 patch=merge merge=uid list=map keys=uid
 finalizers []string o 14 patch=merge list=set
 managedFields []ManagedFieldsEntry o 17 list=atomic
type OwnerReference
 apiVersion string r 5
 kind string r 1
 name string r 3
 uid string r 4
 controller bool *o 6
 blockOwnerDeletion bool *o 7
kind PartialObjectMetadata
 metadata ObjectMeta o 1
kind PartialObjectMetadataList
 metadata ListMeta o 1
 items []PartialObjectMetadata r 2
type Patch
kind PatchOptions
 dryRun []string o 1 list=atomic
 force bool *o 2
 fieldManager string o 3
 fieldValidation string o 4
type Preconditions
 uid string *o 1
 resourceVersion string *o 2
closed ResourceVersionMatch NotOlderThan Exact
type RootPaths
 paths []string r 1 list=atomic
open RowConditionType Completed
type ServerAddressByClientCIDR
 clientCIDR string r 1
 serverAddress string r 2
type ShardInfo
 selector string r 1
kind Status
 metadata ListMeta o 1
 status string o 2
 message string o 3
 reason StatusReason o 4
 details StatusDetails *o 5
 code int32 o 6
type StatusCause
 reason CauseType o 1
 message string o 2
 field string o 3
type StatusDetails
 name string o 1
 group string o 2
 kind string o 3
 uid string o 6
 causes []StatusCause o 4 list=atomic
 retryAfterSeconds int32 o 5
open StatusReason "" Unauthorized Forbidden NotFound AlreadyExists Conflict Gone Invalid ServerTimeout StorageReadError Timeout TooManyRequests BadRequest MethodNotAllowed NotAcceptable RequestEntityTooLarge UnsupportedMediaType InternalError Expired ServiceUnavailable
kind Table
 metadata ListMeta o -
 columnDefinitions []TableColumnDefinition r - list=atomic
 rows []TableRow r - list=atomic
type TableColumnDefinition
 name string r -
 type string r -
 format string r -
 description string r -
 priority int32 r -
kind TableOptions
 includeObject IncludeObjectPolicy o 1
type TableRow
 cells []json r - list=atomic
 conditions []TableRowCondition o - list=atomic
 object raw o -
type TableRowCondition
 type RowConditionType r -
 status ConditionStatus r -
 reason string o -
 message string o -
type Timestamp
 seconds int64 r 1
 nanos int32 r 2
kind UpdateOptions
 dryRun []string o 1 list=atomic
 fieldManager string o 2
 fieldValidation string o 3
wrapped Verbs []string
type WatchEvent
 type string r 1
 object raw r 2
`,
  'core/v1': `
package core/v1 k8s.io/api/core/v1
group core v1
type AWSElasticBlockStoreVolumeSource
 volumeID string r 1
 fsType string o 2
 partition int32 o 3
 readOnly bool o 4
type Affinity
 nodeAffinity NodeAffinity *o 1
 podAffinity PodAffinity *o 2
 podAntiAffinity PodAntiAffinity *o 3
type AppArmorProfile
 type AppArmorProfileType r 1
 localhostProfile string *o 2
enum AppArmorProfileType Unconfined RuntimeDefault Localhost
type AttachedVolume
 name string r 1
 devicePath string r 2
type AvoidPods
 preferAvoidPods []PreferAvoidPodsEntry o 1 list=atomic
enum AzureDataDiskCachingMode None ReadOnly ReadWrite
enum AzureDataDiskKind Shared Dedicated Managed
type AzureDiskVolumeSource
 diskName string r 1
 diskURI string r 2
 cachingMode AzureDataDiskCachingMode *o 3 default="ReadWrite"
 fsType string *o 4 default="ext4"
 readOnly bool *o 5 default=false
 kind AzureDataDiskKind *o 6 default="Shared"
type AzureFilePersistentVolumeSource
 secretName string r 1
 shareName string r 2
 readOnly bool o 3
 secretNamespace string * 4
type AzureFileVolumeSource
 secretName string r 1
 shareName string r 2
 readOnly bool o 3
kind Binding
 metadata meta/v1.ObjectMeta o 1
 target ObjectReference r 2
type CSIPersistentVolumeSource
 driver string r 1
 volumeHandle string r 2
 readOnly bool o 3
 fsType string o 4
 volumeAttributes {}string o 5
 controllerPublishSecretRef SecretReference *o 6
 nodeStageSecretRef SecretReference *o 7
 nodePublishSecretRef SecretReference *o 8
 controllerExpandSecretRef SecretReference *o 9
 nodeExpandSecretRef SecretReference *o 10
type CSIVolumeSource
 driver string r 1
 readOnly bool *o 2
 fsType string *o 3
 volumeAttributes {}string o 4
 nodePublishSecretRef LocalObjectReference *o 5
type Capabilities
 add []string o 1 list=atomic
 drop []string o 2 list=atomic
type CephFSPersistentVolumeSource
 monitors []string r 1 list=atomic
 path string o 2
 user string o 3
 secretFile string o 4
 secretRef SecretReference *o 5
 readOnly bool o 6
type CephFSVolumeSource
 monitors []string r 1 list=atomic
 path string o 2
 user string o 3
 secretFile string o 4
 secretRef LocalObjectReference *o 5
 readOnly bool o 6
type CinderPersistentVolumeSource
 volumeID string r 1
 fsType string o 2
 readOnly bool o 3
 secretRef SecretReference *o 4
type CinderVolumeSource
 volumeID string r 1
 fsType string o 2
 readOnly bool o 3
 secretRef LocalObjectReference *o 4
enum ClaimResourceStatus ControllerResizeInProgress ControllerResizeInfeasible NodeResizePending NodeResizeInProgress NodeResizeInfeasible
type ClientIPConfig
 timeoutSeconds int32 *o 1
type ClusterTrustBundleProjection
 name string *o 1
 signerName string *o 2
 labelSelector meta/v1.LabelSelector *o 3
 optional bool *o 5
 path string r 4
type ComponentCondition
 type ComponentConditionType r 1
 status ConditionStatus r 2
 message string o 3
 error string o 4
open ComponentConditionType Healthy
kind ComponentStatus cluster
 metadata meta/v1.ObjectMeta o 1
 conditions []ComponentCondition o 2 patch=merge merge=type list=map keys=type
kind ComponentStatusList
 metadata meta/v1.ListMeta o 1
 items []ComponentStatus r 2
closed ConditionStatus True False Unknown
kind ConfigMap namespaced
 metadata meta/v1.ObjectMeta o 1
 immutable bool *o 4
 data {}string o 2
 binaryData {}bytes o 3
type ConfigMapEnvSource
 < LocalObjectReference - 1
 optional bool *o 2
type ConfigMapKeySelector
 < LocalObjectReference - 1
 key string r 2
 optional bool *o 3
kind ConfigMapList
 metadata meta/v1.ListMeta o 1
 items []ConfigMap r 2
type ConfigMapNodeConfigSource
 namespace string r 1
 name string r 2
 uid string o 3
 resourceVersion string o 4
 kubeletConfigKey string r 5
type ConfigMapProjection
 < LocalObjectReference - 1
 items []KeyToPath o 2 list=atomic
 optional bool *o 4
type ConfigMapVolumeSource
 < LocalObjectReference - 1
 items []KeyToPath o 2 list=atomic
 defaultMode int32 *o 3
 optional bool *o 4
type Container
 name string r 1
 image string o 2
 command []string o 3 list=atomic
 args []string o 4 list=atomic
 workingDir string o 5
 ports []ContainerPort o 6 patch=merge merge=containerPort list=map keys=containerPort,protocol
 envFrom []EnvFromSource o 19 list=atomic
 env []EnvVar o 7 patch=merge merge=name list=map keys=name
 resources ResourceRequirements o 8
 resizePolicy []ContainerResizePolicy o 23 list=atomic
 restartPolicy ContainerRestartPolicy *o 24
 restartPolicyRules []ContainerRestartRule o 25 list=atomic
 volumeMounts []VolumeMount o 9 patch=merge merge=mountPath list=map keys=mountPath
 volumeDevices []VolumeDevice o 21 patch=merge merge=devicePath list=map keys=devicePath
 livenessProbe Probe *o 10
 readinessProbe Probe *o 11
 startupProbe Probe *o 22
 lifecycle Lifecycle *o 12
 terminationMessagePath string o 13
 terminationMessagePolicy TerminationMessagePolicy o 20
 imagePullPolicy PullPolicy o 14
 securityContext SecurityContext *o 15
 stdin bool o 16
 stdinOnce bool o 17
 tty bool o 18
type ContainerExtendedResourceRequest
 containerName string r 1
 resourceName string r 2
 requestName string r 3
type ContainerImage
 names []string - 1 list=atomic
 sizeBytes int64 o 2
type ContainerPort
 name string o 1
 hostPort int32 o 2
 containerPort int32 r 3
 protocol Protocol o 4 default="TCP"
 hostIP string o 5
type ContainerResizePolicy
 resourceName ResourceName r 1
 restartPolicy ResourceResizeRestartPolicy r 2
closed ContainerRestartPolicy Always Never OnFailure
type ContainerRestartRule
 action ContainerRestartRuleAction o 1
 exitCodes ContainerRestartRuleOnExitCodes *o 2
closed ContainerRestartRuleAction Restart RestartAllContainers
type ContainerRestartRuleOnExitCodes
 operator ContainerRestartRuleOnExitCodesOperator o 1
 values []int32 o 2 list=set
closed ContainerRestartRuleOnExitCodesOperator In NotIn
type ContainerState
 waiting ContainerStateWaiting *o 1
 running ContainerStateRunning *o 2
 terminated ContainerStateTerminated *o 3
type ContainerStateRunning
 startedAt time o 1
type ContainerStateTerminated
 exitCode int32 r 1
 signal int32 o 2
 reason string o 3
 message string o 4
 startedAt time o 5
 finishedAt time o 6
 containerID string o 7
type ContainerStateWaiting
 reason string o 1
 message string o 2
type ContainerStatus
 name string r 1
 state ContainerState o 2
 lastState ContainerState o 3
 ready bool r 4
 restartCount int32 r 5
 image string r 6
 imageID string r 7
 containerID string o 8
 started bool *o 9
 allocatedResources ResourceList o 10
 resources ResourceRequirements *o 11
 volumeMounts []VolumeMountStatus o 12 patch=merge merge=mountPath list=map keys=mountPath
 user ContainerUser *o 13
 allocatedResourcesStatus []ResourceStatus o 14 patch=merge merge=name list=map keys=name
 stopSignal Signal *o 15
type ContainerUser
 linux LinuxContainerUser *o 1
enum DNSPolicy ClusterFirstWithHostNet ClusterFirst Default None
type DaemonEndpoint
 Port int32 r 1
type DownwardAPIProjection
 items []DownwardAPIVolumeFile o 1 list=atomic
type DownwardAPIVolumeFile
 path string r 1
 fieldRef ObjectFieldSelector *o 2
 resourceFieldRef ResourceFieldSelector *o 3
 mode int32 *o 4
type DownwardAPIVolumeSource
 items []DownwardAPIVolumeFile o 1 list=atomic
 defaultMode int32 *o 2
type EmptyDirVolumeSource
 medium StorageMedium o 1
 sizeLimit quantity *o 2
type EndpointAddress
 ip string r 1
 hostname string o 3
 nodeName string *o 4
 targetRef ObjectReference *o 2
type EndpointPort
 name string o 1
 port int32 r 2
 protocol Protocol o 3
 appProtocol string *o 4
type EndpointSubset
 addresses []EndpointAddress o 1 list=atomic
 notReadyAddresses []EndpointAddress o 2 list=atomic
 ports []EndpointPort o 3 list=atomic
kind Endpoints namespaced
 metadata meta/v1.ObjectMeta o 1
 subsets []EndpointSubset o 2 list=atomic
kind EndpointsList
 metadata meta/v1.ListMeta o 1
 items []Endpoints r 2
type EnvFromSource
 prefix string o 1
 configMapRef ConfigMapEnvSource *o 2
 secretRef SecretEnvSource *o 3
type EnvVar
 name string r 1
 value string o 2
 valueFrom EnvVarSource *o 3
type EnvVarSource
 fieldRef ObjectFieldSelector *o 1
 resourceFieldRef ResourceFieldSelector *o 2
 configMapKeyRef ConfigMapKeySelector *o 3
 secretKeyRef SecretKeySelector *o 4
 fileKeyRef FileKeySelector *o 5
type EphemeralContainer
 < EphemeralContainerCommon - 1
 targetContainerName string o 2
type EphemeralContainerCommon
 name string r 1
 image string o 2
 command []string o 3 list=atomic
 args []string o 4 list=atomic
 workingDir string o 5
 ports []ContainerPort o 6 patch=merge merge=containerPort list=map keys=containerPort,protocol
 envFrom []EnvFromSource o 19 list=atomic
 env []EnvVar o 7 patch=merge merge=name list=map keys=name
 resources ResourceRequirements o 8
 resizePolicy []ContainerResizePolicy o 23 list=atomic
 restartPolicy ContainerRestartPolicy *o 24
 restartPolicyRules []ContainerRestartRule o 25 list=atomic
 volumeMounts []VolumeMount o 9 patch=merge merge=mountPath list=map keys=mountPath
 volumeDevices []VolumeDevice o 21 patch=merge merge=devicePath list=map keys=devicePath
 livenessProbe Probe *o 10
 readinessProbe Probe *o 11
 startupProbe Probe *o 22
 lifecycle Lifecycle *o 12
 terminationMessagePath string o 13
 terminationMessagePolicy TerminationMessagePolicy o 20
 imagePullPolicy PullPolicy o 14
 securityContext SecurityContext *o 15
 stdin bool o 16
 stdinOnce bool o 17
 tty bool o 18
type EphemeralVolumeSource
 volumeClaimTemplate PersistentVolumeClaimTemplate *o 1
kind Event namespaced
 metadata meta/v1.ObjectMeta r 1
 involvedObject ObjectReference r 2
 reason string o 3
 message string o 4
 source EventSource o 5
 firstTimestamp time o 6
 lastTimestamp time o 7
 count int32 o 8
 type string o 9
 eventTime microTime o 10
 series EventSeries *o 11
 action string o 12
 related ObjectReference *o 13
 reportingComponent string - 14
 reportingInstance string - 15
kind EventList
 metadata meta/v1.ListMeta o 1
 items []Event r 2
type EventSeries
 count int32 o 1
 lastObservedTime microTime o 2
type EventSource
 component string o 1
 host string o 2
type ExecAction
 command []string o 1 list=atomic
type FCVolumeSource
 targetWWNs []string o 1 list=atomic
 lun int32 *o 2
 fsType string o 3
 readOnly bool o 4
 wwids []string o 5 list=atomic
type FileKeySelector
 volumeName string r 1
 path string r 2
 key string r 3
 optional bool *o 4 default=false
open FinalizerName kubernetes
type FlexPersistentVolumeSource
 driver string r 1
 fsType string o 2
 secretRef SecretReference *o 3
 readOnly bool o 4
 options {}string o 5
type FlexVolumeSource
 driver string r 1
 fsType string o 2
 secretRef LocalObjectReference *o 3
 readOnly bool o 4
 options {}string o 5
type FlockerVolumeSource
 datasetName string o 1
 datasetUUID string o 2
type GCEPersistentDiskVolumeSource
 pdName string r 1
 fsType string o 2
 partition int32 o 3
 readOnly bool o 4
type GRPCAction
 port int32 r 1
 service string * 2 default=""
type GitRepoVolumeSource
 repository string r 1
 revision string o 2
 directory string o 3
type GlusterfsPersistentVolumeSource
 endpoints string r 1
 path string r 2
 readOnly bool o 3
 endpointsNamespace string *o 4
type GlusterfsVolumeSource
 endpoints string r 1
 path string r 2
 readOnly bool o 3
type HTTPGetAction
 path string o 1
 port intOrString r 2
 host string o 3
 scheme URIScheme o 4
 httpHeaders []HTTPHeader o 5 list=atomic
type HTTPHeader
 name string r 1
 value string r 2
type HostAlias
 ip string r 1
 hostnames []string o 2 list=atomic
type HostIP
 ip string r 1
enum HostPathType "" DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice
type HostPathVolumeSource
 path string r 1
 type HostPathType *o 2
enum IPFamily IPv4 IPv6 ""
enum IPFamilyPolicy SingleStack PreferDualStack RequireDualStack
type ISCSIPersistentVolumeSource
 targetPortal string r 1
 iqn string r 2
 lun int32 r 3
 iscsiInterface string o 4 default="default"
 fsType string o 5
 readOnly bool o 6
 portals []string o 7 list=atomic
 chapAuthDiscovery bool o 8
 chapAuthSession bool o 11
 secretRef SecretReference *o 10
 initiatorName string *o 12
type ISCSIVolumeSource
 targetPortal string r 1
 iqn string r 2
 lun int32 r 3
 iscsiInterface string o 4 default="default"
 fsType string o 5
 readOnly bool o 6
 portals []string o 7 list=atomic
 chapAuthDiscovery bool o 8
 chapAuthSession bool o 11
 secretRef LocalObjectReference *o 10
 initiatorName string *o 12
type ImageVolumeSource
 reference string o 1
 pullPolicy PullPolicy o 2
type ImageVolumeStatus
 imageRef string o 1
type KeyToPath
 key string r 1
 path string r 2
 mode int32 *o 3
type Lifecycle
 postStart LifecycleHandler *o 1
 preStop LifecycleHandler *o 2
 stopSignal Signal *o 3
type LifecycleHandler
 exec ExecAction *o 1
 httpGet HTTPGetAction *o 2
 tcpSocket TCPSocketAction *o 3
 sleep SleepAction *o 4
kind LimitRange namespaced
 metadata meta/v1.ObjectMeta o 1
 spec LimitRangeSpec o 2
type LimitRangeItem
 type LimitType r 1
 max ResourceList o 2
 min ResourceList o 3
 default ResourceList o 4
 defaultRequest ResourceList o 5
 maxLimitRequestRatio ResourceList o 6
kind LimitRangeList
 metadata meta/v1.ListMeta o 1
 items []LimitRange r 2
type LimitRangeSpec
 limits []LimitRangeItem r 1 list=atomic
open LimitType Pod Container PersistentVolumeClaim
type LinuxContainerUser
 uid int64 r 1
 gid int64 r 2
 supplementalGroups []int64 o 3 list=atomic
kind List
 metadata meta/v1.ListMeta o 1
 items []raw r 2
closed LoadBalancerIPMode VIP Proxy
type LoadBalancerIngress
 ip string o 1
 hostname string o 2
 ipMode LoadBalancerIPMode *o 3
 ports []PortStatus o 4 list=atomic
type LoadBalancerStatus
 ingress []LoadBalancerIngress o 1 list=atomic
type LocalObjectReference
 name string o 1 default=""
type LocalVolumeSource
 path string r 1
 fsType string *o 2
type ModifyVolumeStatus
 targetVolumeAttributesClassName string o 1
 status PersistentVolumeClaimModifyVolumeStatus r 2
enum MountPropagationMode None HostToContainer Bidirectional
type NFSVolumeSource
 server string r 1
 path string r 2
 readOnly bool o 3
kind Namespace cluster
 metadata meta/v1.ObjectMeta o 1
 spec NamespaceSpec o 2
 status NamespaceStatus o 3
type NamespaceCondition
 type NamespaceConditionType r 1
 status ConditionStatus r 2
 lastTransitionTime time o 4
 reason string o 5
 message string o 6
open NamespaceConditionType NamespaceDeletionDiscoveryFailure NamespaceDeletionContentFailure NamespaceDeletionGroupVersionParsingFailure NamespaceContentRemaining NamespaceFinalizersRemaining
kind NamespaceList
 metadata meta/v1.ListMeta o 1
 items []Namespace r 2
enum NamespacePhase Active Terminating
type NamespaceSpec
 finalizers []FinalizerName o 1 list=atomic
type NamespaceStatus
 phase NamespacePhase o 1
 conditions []NamespaceCondition o 2 patch=merge merge=type list=map keys=type
kind Node cluster
 metadata meta/v1.ObjectMeta o 1
 spec NodeSpec o 2
 status NodeStatus o 3
type NodeAddress
 type NodeAddressType r 1
 address string r 2
open NodeAddressType Hostname InternalIP ExternalIP InternalDNS ExternalDNS
type NodeAffinity
 requiredDuringSchedulingIgnoredDuringExecution NodeSelector *o 1
 preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm o 2 list=atomic
type NodeAllocatableResourceClaimStatus
 resourceClaimName string r 1
 containers []string o 2 list=set
 resources {}quantity r 3
type NodeCondition
 type NodeConditionType r 1
 status ConditionStatus r 2
 lastHeartbeatTime time o 3
 lastTransitionTime time o 4
 reason string o 5
 message string o 6
open NodeConditionType Ready MemoryPressure DiskPressure PIDPressure NetworkUnavailable
type NodeConfigSource
 configMap ConfigMapNodeConfigSource *o 2
type NodeConfigStatus
 assigned NodeConfigSource *o 1
 active NodeConfigSource *o 2
 lastKnownGood NodeConfigSource *o 3
 error string o 4
type NodeDaemonEndpoints
 kubeletEndpoint DaemonEndpoint o 1
type NodeFeatures
 supplementalGroupsPolicy bool *o 1
enum NodeInclusionPolicy Ignore Honor
kind NodeList
 metadata meta/v1.ListMeta o 1
 items []Node r 2
enum NodePhase Pending Running Terminated
kind NodeProxyOptions
 path string o 1
type NodeRuntimeHandler
 name string - 1
 features NodeRuntimeHandlerFeatures *o 2
type NodeRuntimeHandlerFeatures
 recursiveReadOnlyMounts bool *o 1
 userNamespaces bool *o 2
type NodeSelector
 nodeSelectorTerms []NodeSelectorTerm r 1 list=atomic
enum NodeSelectorOperator In NotIn Exists DoesNotExist Gt Lt
type NodeSelectorRequirement
 key string r 1
 operator NodeSelectorOperator r 2
 values []string o 3 list=atomic
type NodeSelectorTerm
 matchExpressions []NodeSelectorRequirement o 1 list=atomic
 matchFields []NodeSelectorRequirement o 2 list=atomic
type NodeSpec
 podCIDR string o 1
 podCIDRs []string o 7 patch=merge list=set
 providerID string o 3
 unschedulable bool o 4
 taints []Taint o 5 list=atomic
 configSource NodeConfigSource *o 6
 externalID string o 2
type NodeStatus
 capacity ResourceList o 1
 allocatable ResourceList o 2
 phase NodePhase o 3
 conditions []NodeCondition o 4 patch=merge merge=type list=map keys=type
 addresses []NodeAddress o 5 patch=merge merge=type list=map keys=type
 daemonEndpoints NodeDaemonEndpoints o 6
 nodeInfo NodeSystemInfo o 7
 images []ContainerImage o 8 list=atomic
 volumesInUse []string o 9 list=atomic
 volumesAttached []AttachedVolume o 10 list=atomic
 config NodeConfigStatus *o 11
 runtimeHandlers []NodeRuntimeHandler o 12 list=atomic
 features NodeFeatures *o 13
 declaredFeatures []string o 14 list=atomic
type NodeSwapStatus
 capacity int64 *o 1
type NodeSystemInfo
 machineID string r 1
 systemUUID string r 2
 bootID string r 3
 kernelVersion string r 4
 osImage string r 5
 containerRuntimeVersion string r 6
 kubeletVersion string r 7
 kubeProxyVersion string r 8
 operatingSystem string r 9
 architecture string r 10
 swap NodeSwapStatus *o 11
open OSName linux windows
type ObjectFieldSelector
 apiVersion string o 1
 fieldPath string r 2
type ObjectReference
 kind string o 1
 namespace string o 2
 name string o 3
 uid string o 4
 apiVersion string o 5
 resourceVersion string o 6
 fieldPath string o 7
kind PersistentVolume cluster
 metadata meta/v1.ObjectMeta o 1
 spec PersistentVolumeSpec o 2
 status PersistentVolumeStatus o 3
enum PersistentVolumeAccessMode ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod
kind PersistentVolumeClaim namespaced
 metadata meta/v1.ObjectMeta o 1
 spec PersistentVolumeClaimSpec o 2
 status PersistentVolumeClaimStatus o 3
type PersistentVolumeClaimCondition
 type PersistentVolumeClaimConditionType r 1
 status ConditionStatus r 2
 lastProbeTime time o 3
 lastTransitionTime time o 4
 reason string o 5
 message string o 6
open PersistentVolumeClaimConditionType Resizing FileSystemResizePending ControllerResizeError NodeResizeError ModifyVolumeError ModifyingVolume Unused
kind PersistentVolumeClaimList
 metadata meta/v1.ListMeta o 1
 items []PersistentVolumeClaim r 2
enum PersistentVolumeClaimModifyVolumeStatus Pending InProgress Infeasible
enum PersistentVolumeClaimPhase Pending Bound Lost
type PersistentVolumeClaimSpec
 accessModes []PersistentVolumeAccessMode o 1 list=atomic
 selector meta/v1.LabelSelector *o 4
 resources VolumeResourceRequirements o 2
 volumeName string o 3
 storageClassName string *o 5
 volumeMode PersistentVolumeMode *o 6
 dataSource TypedLocalObjectReference *o 7
 dataSourceRef TypedObjectReference *o 8
 volumeAttributesClassName string *o 9
type PersistentVolumeClaimStatus
 phase PersistentVolumeClaimPhase o 1
 accessModes []PersistentVolumeAccessMode o 2 list=atomic
 capacity ResourceList o 3
 conditions []PersistentVolumeClaimCondition o 4 patch=merge merge=type list=map keys=type
 allocatedResources ResourceList o 5
 allocatedResourceStatuses {}ClaimResourceStatus o 7 map=granular
 currentVolumeAttributesClassName string *o 8
 modifyVolumeStatus ModifyVolumeStatus *o 9
type PersistentVolumeClaimTemplate
 metadata meta/v1.ObjectMeta o 1
 spec PersistentVolumeClaimSpec r 2
type PersistentVolumeClaimVolumeSource
 claimName string r 1
 readOnly bool o 2
kind PersistentVolumeList
 metadata meta/v1.ListMeta o 1
 items []PersistentVolume r 2
enum PersistentVolumeMode Block Filesystem
enum PersistentVolumePhase Pending Available Bound Released Failed
enum PersistentVolumeReclaimPolicy Recycle Delete Retain
type PersistentVolumeSource
 gcePersistentDisk GCEPersistentDiskVolumeSource *o 1
 awsElasticBlockStore AWSElasticBlockStoreVolumeSource *o 2
 hostPath HostPathVolumeSource *o 3
 glusterfs GlusterfsPersistentVolumeSource *o 4
 nfs NFSVolumeSource *o 5
 rbd RBDPersistentVolumeSource *o 6
 iscsi ISCSIPersistentVolumeSource *o 7
 cinder CinderPersistentVolumeSource *o 8
 cephfs CephFSPersistentVolumeSource *o 9
 fc FCVolumeSource *o 10
 flocker FlockerVolumeSource *o 11
 flexVolume FlexPersistentVolumeSource *o 12
 azureFile AzureFilePersistentVolumeSource *o 13
 vsphereVolume VsphereVirtualDiskVolumeSource *o 14
 quobyte QuobyteVolumeSource *o 15
 azureDisk AzureDiskVolumeSource *o 16
 photonPersistentDisk PhotonPersistentDiskVolumeSource *o 17
 portworxVolume PortworxVolumeSource *o 18
 scaleIO ScaleIOPersistentVolumeSource *o 19
 local LocalVolumeSource *o 20
 storageos StorageOSPersistentVolumeSource *o 21
 csi CSIPersistentVolumeSource *o 22
type PersistentVolumeSpec
 capacity ResourceList o 1
 < PersistentVolumeSource - 2
 accessModes []PersistentVolumeAccessMode o 3 list=atomic
 claimRef ObjectReference *o 4 struct=granular
 persistentVolumeReclaimPolicy PersistentVolumeReclaimPolicy o 5
 storageClassName string o 6
 mountOptions []string o 7 list=atomic
 volumeMode PersistentVolumeMode *o 8
 nodeAffinity VolumeNodeAffinity *o 9
 volumeAttributesClassName string *o 10
type PersistentVolumeStatus
 phase PersistentVolumePhase o 1
 message string o 2
 reason string o 3
 lastPhaseTransitionTime time *o 4
type PhotonPersistentDiskVolumeSource
 pdID string r 1
 fsType string o 2
kind Pod namespaced
 metadata meta/v1.ObjectMeta o 1
 spec PodSpec o 2
 status PodStatus o 3
type PodAffinity
 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm o 1 list=atomic
 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm o 2 list=atomic
type PodAffinityTerm
 labelSelector meta/v1.LabelSelector *o 1
 namespaces []string o 2 list=atomic
 topologyKey string r 3
 namespaceSelector meta/v1.LabelSelector *o 4
 matchLabelKeys []string o 5 list=atomic
 mismatchLabelKeys []string o 6 list=atomic
type PodAntiAffinity
 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm o 1 list=atomic
 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm o 2 list=atomic
kind PodAttachOptions
 stdin bool o 1
 stdout bool o 2
 stderr bool o 3
 tty bool o 4
 container string o 5
type PodCertificateProjection
 signerName string o 1
 keyType string o 2
 maxExpirationSeconds int32 *o 3
 credentialBundlePath string o 4
 keyPath string o 5
 certificateChainPath string o 6
 userAnnotations {}string o 7
type PodCondition
 type PodConditionType r 1
 observedGeneration int64 o 7
 status ConditionStatus r 2
 lastProbeTime time o 3
 lastTransitionTime time o 4
 reason string o 5
 message string o 6
open PodConditionType ContainersReady Initialized Ready PodScheduled DisruptionTarget PodReadyToStartContainers PodResizePending PodResizeInProgress AllContainersRestarting
type PodDNSConfig
 nameservers []string o 1 list=atomic
 searches []string o 2 list=atomic
 options []PodDNSConfigOption o 3 list=atomic
type PodDNSConfigOption
 name string o 1
 value string *o 2
kind PodExecOptions
 stdin bool o 1
 stdout bool o 2
 stderr bool o 3
 tty bool o 4
 container string o 5
 command []string r 6 list=atomic
type PodExtendedResourceClaimStatus
 requestMappings []ContainerExtendedResourceRequest r 1 list=atomic
 resourceClaimName string r 2
enum PodFSGroupChangePolicy OnRootMismatch Always
type PodIP
 ip string r 1
kind PodList
 metadata meta/v1.ListMeta o 1
 items []Pod r 2
kind PodLogOptions
 container string o 1
 follow bool o 2
 previous bool o 3
 sinceSeconds int64 *o 4
 sinceTime time *o 5
 timestamps bool o 6
 tailLines int64 *o 7
 limitBytes int64 *o 8
 insecureSkipTLSVerifyBackend bool o 9
 stream string *o 10
type PodOS
 name OSName r 1
enum PodPhase Pending Running Succeeded Failed Unknown
kind PodPortForwardOptions
 ports []int32 o 1 list=atomic
kind PodProxyOptions
 path string o 1
enum PodQOSClass Guaranteed Burstable BestEffort
type PodReadinessGate
 conditionType PodConditionType r 1
closed PodResizeStatus InProgress Deferred Infeasible
type PodResourceClaim
 name string r 1
 resourceClaimName string *o 3
 resourceClaimTemplateName string *o 4
type PodResourceClaimStatus
 name string r 1
 resourceClaimName string *o 2
closed PodSELinuxChangePolicy Recursive MountOption
type PodSchedulingGate
 name string r 1
type PodSchedulingGroup
 podGroupName string *o 1
type PodSecurityContext
 seLinuxOptions SELinuxOptions *o 1
 windowsOptions WindowsSecurityContextOptions *o 8
 runAsUser int64 *o 2
 runAsGroup int64 *o 6
 runAsNonRoot bool *o 3
 supplementalGroups []int64 o 4 list=atomic
 supplementalGroupsPolicy SupplementalGroupsPolicy *o 12
 fsGroup int64 *o 5
 sysctls []Sysctl o 7 list=atomic
 fsGroupChangePolicy PodFSGroupChangePolicy *o 9
 seccompProfile SeccompProfile *o 10
 appArmorProfile AppArmorProfile *o 11
 seLinuxChangePolicy PodSELinuxChangePolicy *o 13
type PodSignature
 podController meta/v1.OwnerReference *o 1
type PodSpec
 volumes []Volume o 1 patch=merge,retainKeys merge=name list=map keys=name
 initContainers []Container o 20 patch=merge merge=name list=map keys=name
 containers []Container r 2 patch=merge merge=name list=map keys=name
 ephemeralContainers []EphemeralContainer o 34 patch=merge merge=name list=map keys=name
 restartPolicy RestartPolicy o 3
 terminationGracePeriodSeconds int64 *o 4
 activeDeadlineSeconds int64 *o 5
 dnsPolicy DNSPolicy o 6
 nodeSelector {}string o 7 map=atomic
 serviceAccountName string o 8
 serviceAccount string o 9
 automountServiceAccountToken bool *o 21
 nodeName string o 10
 hostNetwork bool o 11
 hostPID bool o 12
 hostIPC bool o 13
 shareProcessNamespace bool *o 27
 securityContext PodSecurityContext *o 14
 imagePullSecrets []LocalObjectReference o 15 patch=merge merge=name list=map keys=name
 hostname string o 16
 subdomain string o 17
 affinity Affinity *o 18
 schedulerName string o 19
 tolerations []Toleration o 22 list=atomic
 hostAliases []HostAlias o 23 patch=merge merge=ip list=map keys=ip
 priorityClassName string o 24
 priority int32 *o 25
 dnsConfig PodDNSConfig *o 26
 readinessGates []PodReadinessGate o 28 list=atomic
 runtimeClassName string *o 29
 enableServiceLinks bool *o 30
 preemptionPolicy PreemptionPolicy *o 31
 overhead ResourceList o 32
 topologySpreadConstraints []TopologySpreadConstraint o 33 patch=merge merge=topologyKey list=map keys=topologyKey,whenUnsatisfiable
 setHostnameAsFQDN bool *o 35
 os PodOS *o 36
 hostUsers bool *o 37
 schedulingGates []PodSchedulingGate o 38 patch=merge merge=name list=map keys=name
 resourceClaims []PodResourceClaim o 39 patch=merge,retainKeys merge=name list=map keys=name
 resources ResourceRequirements *o 40
 hostnameOverride string *o 41
 schedulingGroup PodSchedulingGroup *o 43
type PodStatus
 observedGeneration int64 o 17
 phase PodPhase o 1
 conditions []PodCondition o 2 patch=merge merge=type list=map keys=type
 message string o 3
 reason string o 4
 nominatedNodeName string o 11
 hostIP string o 5
 hostIPs []HostIP o 16 patch=merge merge=ip list=atomic
 podIP string o 6
 podIPs []PodIP o 12 patch=merge merge=ip list=map keys=ip
 startTime time *o 7
 initContainerStatuses []ContainerStatus o 10 list=atomic
 containerStatuses []ContainerStatus o 8 list=atomic
 qosClass PodQOSClass o 9
 ephemeralContainerStatuses []ContainerStatus o 13 list=atomic
 resize PodResizeStatus o 14
 resourceClaimStatuses []PodResourceClaimStatus o 15 patch=merge,retainKeys merge=name list=map keys=name
 extendedResourceClaimStatus PodExtendedResourceClaimStatus *o 18
 allocatedResources ResourceList o 19
 resources ResourceRequirements *o 20
 nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus o 21 list=atomic
kind PodStatusResult
 metadata meta/v1.ObjectMeta o 1
 status PodStatus o 2
kind PodTemplate namespaced
 metadata meta/v1.ObjectMeta o 1
 template PodTemplateSpec o 2
kind PodTemplateList
 metadata meta/v1.ListMeta o 1
 items []PodTemplate r 2
type PodTemplateSpec
 metadata meta/v1.ObjectMeta o 1
 spec PodSpec o 2
type PortStatus
 port int32 r 1
 protocol Protocol r 2
 error string *o 3
type PortworxVolumeSource
 volumeID string r 1
 fsType string o 2
 readOnly bool o 3
type Preconditions
 uid string *o 1
enum PreemptionPolicy PreemptLowerPriority Never
type PreferAvoidPodsEntry
 podSignature PodSignature r 1
 evictionTime time o 2
 reason string o 3
 message string o 4
type PreferredSchedulingTerm
 weight int32 r 1
 preference NodeSelectorTerm r 2
type Probe
 < ProbeHandler - 1
 initialDelaySeconds int32 o 2
 timeoutSeconds int32 o 3
 periodSeconds int32 o 4
 successThreshold int32 o 5
 failureThreshold int32 o 6
 terminationGracePeriodSeconds int64 *o 7
type ProbeHandler
 exec ExecAction *o 1
 httpGet HTTPGetAction *o 2
 tcpSocket TCPSocketAction *o 3
 grpc GRPCAction *o 4
enum ProcMountType Default Unmasked
type ProjectedVolumeSource
 sources []VolumeProjection - 1 list=atomic
 defaultMode int32 *o 2
enum Protocol TCP UDP SCTP
enum PullPolicy Always Never IfNotPresent
type QuobyteVolumeSource
 registry string r 1
 volume string r 2
 readOnly bool o 3
 user string o 4
 group string o 5
 tenant string o 6
type RBDPersistentVolumeSource
 monitors []string r 1 list=atomic
 image string r 2
 fsType string o 3
 pool string o 4 default="rbd"
 user string o 5 default="admin"
 keyring string o 6 default="/etc/ceph/keyring"
 secretRef SecretReference *o 7
 readOnly bool o 8
type RBDVolumeSource
 monitors []string r 1 list=atomic
 image string r 2
 fsType string o 3
 pool string o 4 default="rbd"
 user string o 5 default="admin"
 keyring string o 6 default="/etc/ceph/keyring"
 secretRef LocalObjectReference *o 7
 readOnly bool o 8
kind RangeAllocation
 metadata meta/v1.ObjectMeta o 1
 range string r 2
 data bytes r 3
closed RecursiveReadOnlyMode Disabled IfPossible Enabled
kind ReplicationController namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ReplicationControllerSpec o 2
 status ReplicationControllerStatus o 3
type ReplicationControllerCondition
 type ReplicationControllerConditionType r 1
 status ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
open ReplicationControllerConditionType ReplicaFailure
kind ReplicationControllerList
 metadata meta/v1.ListMeta o 1
 items []ReplicationController r 2
type ReplicationControllerSpec
 replicas int32 *o 1 default=1
 minReadySeconds int32 o 4 default=0
 selector {}string o 2 map=atomic
 template PodTemplateSpec *o 3
type ReplicationControllerStatus
 replicas int32 r 1
 fullyLabeledReplicas int32 o 2
 readyReplicas int32 o 4
 availableReplicas int32 o 5
 observedGeneration int64 o 3
 conditions []ReplicationControllerCondition o 6 patch=merge merge=type list=map keys=type
type ResourceClaim
 name string r 1
 request string o 2
type ResourceFieldSelector
 containerName string o 1
 resource string r 2
 divisor quantity o 3
type ResourceHealth
 resourceID string r 1
 health ResourceHealthStatus o 2
 message string *o 6
open ResourceHealthStatus Healthy Unhealthy Unknown
alias ResourceList {}quantity
open ResourceName cpu memory storage ephemeral-storage pods services replicationcontrollers resourcequotas secrets configmaps persistentvolumeclaims services.nodeports services.loadbalancers requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage
kind ResourceQuota namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ResourceQuotaSpec o 2
 status ResourceQuotaStatus o 3
kind ResourceQuotaList
 metadata meta/v1.ListMeta o 1
 items []ResourceQuota r 2
enum ResourceQuotaScope Terminating NotTerminating BestEffort NotBestEffort PriorityClass CrossNamespacePodAffinity VolumeAttributesClass
type ResourceQuotaSpec
 hard ResourceList o 1
 scopes []ResourceQuotaScope o 2 list=atomic
 scopeSelector ScopeSelector *o 3
type ResourceQuotaStatus
 hard ResourceList o 1
 used ResourceList o 2
type ResourceRequirements
 limits ResourceList o 1
 requests ResourceList o 2
 claims []ResourceClaim o 3 list=map keys=name
closed ResourceResizeRestartPolicy NotRequired RestartContainer
type ResourceStatus
 name ResourceName r 1
 resources []ResourceHealth o 2 list=map keys=resourceID
enum RestartPolicy Always OnFailure Never
type SELinuxOptions
 user string o 1
 role string o 2
 type string o 3
 level string o 4
type ScaleIOPersistentVolumeSource
 gateway string r 1
 system string r 2
 secretRef SecretReference r* 3
 sslEnabled bool o 4
 protectionDomain string o 5
 storagePool string o 6
 storageMode string o 7 default="ThinProvisioned"
 volumeName string o 8
 fsType string o 9 default="xfs"
 readOnly bool o 10
type ScaleIOVolumeSource
 gateway string r 1
 system string r 2
 secretRef LocalObjectReference r* 3
 sslEnabled bool o 4
 protectionDomain string o 5
 storagePool string o 6
 storageMode string o 7 default="ThinProvisioned"
 volumeName string o 8
 fsType string o 9 default="xfs"
 readOnly bool o 10
type ScopeSelector
 matchExpressions []ScopedResourceSelectorRequirement o 1 list=atomic
enum ScopeSelectorOperator In NotIn Exists DoesNotExist
type ScopedResourceSelectorRequirement
 scopeName ResourceQuotaScope r 1
 operator ScopeSelectorOperator r 2
 values []string o 3 list=atomic
type SeccompProfile
 type SeccompProfileType r 1
 localhostProfile string *o 2
enum SeccompProfileType Unconfined RuntimeDefault Localhost
kind Secret namespaced
 metadata meta/v1.ObjectMeta o 1
 immutable bool *o 5
 data {}bytes o 2
 stringData {}string o 4
 type SecretType o 3
type SecretEnvSource
 < LocalObjectReference - 1
 optional bool *o 2
type SecretKeySelector
 < LocalObjectReference - 1
 key string r 2
 optional bool *o 3
kind SecretList
 metadata meta/v1.ListMeta o 1
 items []Secret r 2
type SecretProjection
 < LocalObjectReference - 1
 items []KeyToPath o 2 list=atomic
 optional bool *o 4
type SecretReference
 name string o 1
 namespace string o 2
open SecretType Opaque kubernetes.io/service-account-token kubernetes.io/dockercfg kubernetes.io/dockerconfigjson kubernetes.io/basic-auth kubernetes.io/ssh-auth kubernetes.io/tls bootstrap.kubernetes.io/token
type SecretVolumeSource
 secretName string o 1
 items []KeyToPath o 2 list=atomic
 defaultMode int32 *o 3
 optional bool *o 4
type SecurityContext
 capabilities Capabilities *o 1
 privileged bool *o 2
 seLinuxOptions SELinuxOptions *o 3
 windowsOptions WindowsSecurityContextOptions *o 10
 runAsUser int64 *o 4
 runAsGroup int64 *o 8
 runAsNonRoot bool *o 5
 readOnlyRootFilesystem bool *o 6
 allowPrivilegeEscalation bool *o 7
 procMount ProcMountType *o 9
 seccompProfile SeccompProfile *o 11
 appArmorProfile AppArmorProfile *o 12
kind SerializedReference
 reference ObjectReference o 1
kind Service namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ServiceSpec o 2
 status ServiceStatus o 3
kind ServiceAccount namespaced
 metadata meta/v1.ObjectMeta o 1
 secrets []ObjectReference o 2 patch=merge merge=name list=map keys=name
 imagePullSecrets []LocalObjectReference o 3 list=atomic
 automountServiceAccountToken bool *o 4
kind ServiceAccountList
 metadata meta/v1.ListMeta o 1
 items []ServiceAccount r 2
type ServiceAccountTokenProjection
 audience string o 1
 expirationSeconds int64 *o 2
 path string r 3
enum ServiceAffinity ClientIP None
enum ServiceExternalTrafficPolicy Cluster Local
enum ServiceInternalTrafficPolicy Cluster Local
kind ServiceList
 metadata meta/v1.ListMeta o 1
 items []Service r 2
type ServicePort
 name string o 1
 protocol Protocol o 2 default="TCP"
 appProtocol string *o 6
 port int32 r 3
 targetPort intOrString o 4
 nodePort int32 o 5
kind ServiceProxyOptions
 path string o 1
type ServiceSpec
 ports []ServicePort o 1 patch=merge merge=port list=map keys=port,protocol
 selector {}string o 2 map=atomic
 clusterIP string o 3
 clusterIPs []string o 18 list=atomic
 type ServiceType o 4
 externalIPs []string o 5 list=atomic
 sessionAffinity ServiceAffinity o 7
 loadBalancerIP string o 8
 loadBalancerSourceRanges []string o 9 list=atomic
 externalName string o 10
 externalTrafficPolicy ServiceExternalTrafficPolicy o 11
 healthCheckNodePort int32 o 12
 publishNotReadyAddresses bool o 13
 sessionAffinityConfig SessionAffinityConfig *o 14
 ipFamilies []IPFamily o 19 list=atomic
 ipFamilyPolicy IPFamilyPolicy *o 17
 allocateLoadBalancerNodePorts bool *o 20
 loadBalancerClass string *o 21
 internalTrafficPolicy ServiceInternalTrafficPolicy *o 22
 trafficDistribution string *o 23
type ServiceStatus
 loadBalancer LoadBalancerStatus o 1
 conditions []meta/v1.Condition o 2 patch=merge merge=type list=map keys=type
enum ServiceType ClusterIP NodePort LoadBalancer ExternalName
type SessionAffinityConfig
 clientIP ClientIPConfig *o 1
enum Signal SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMIN SIGRTMIN+1 SIGRTMIN+2 SIGRTMIN+3 SIGRTMIN+4 SIGRTMIN+5 SIGRTMIN+6 SIGRTMIN+7 SIGRTMIN+8 SIGRTMIN+9 SIGRTMIN+10 SIGRTMIN+11 SIGRTMIN+12 SIGRTMIN+13 SIGRTMIN+14 SIGRTMIN+15 SIGRTMAX-14 SIGRTMAX-13 SIGRTMAX-12 SIGRTMAX-11 SIGRTMAX-10 SIGRTMAX-9 SIGRTMAX-8 SIGRTMAX-7 SIGRTMAX-6 SIGRTMAX-5 SIGRTMAX-4 SIGRTMAX-3 SIGRTMAX-2 SIGRTMAX-1 SIGRTMAX
type SleepAction
 seconds int64 r 1
open StorageMedium "" Memory HugePages HugePages-
type StorageOSPersistentVolumeSource
 volumeName string o 1
 volumeNamespace string o 2
 fsType string o 3
 readOnly bool o 4
 secretRef ObjectReference *o 5
type StorageOSVolumeSource
 volumeName string o 1
 volumeNamespace string o 2
 fsType string o 3
 readOnly bool o 4
 secretRef LocalObjectReference *o 5
enum SupplementalGroupsPolicy Merge Strict
type Sysctl
 name string r 1
 value string r 2
type TCPSocketAction
 port intOrString r 1
 host string o 2
type Taint
 key string r 1
 value string o 2
 effect TaintEffect r 3
 timeAdded time *o 4
enum TaintEffect NoSchedule PreferNoSchedule NoExecute
enum TerminationMessagePolicy File FallbackToLogsOnError
type Toleration
 key string o 1
 operator TolerationOperator o 2
 value string o 3
 effect TaintEffect o 4
 tolerationSeconds int64 *o 5
enum TolerationOperator Exists Equal Lt Gt
type TopologySelectorLabelRequirement
 key string r 1
 values []string r 2 list=atomic
type TopologySelectorTerm
 matchLabelExpressions []TopologySelectorLabelRequirement o 1 list=atomic
type TopologySpreadConstraint
 maxSkew int32 r 1
 topologyKey string r 2
 whenUnsatisfiable UnsatisfiableConstraintAction r 3
 labelSelector meta/v1.LabelSelector *o 4
 minDomains int32 *o 5
 nodeAffinityPolicy NodeInclusionPolicy *o 6
 nodeTaintsPolicy NodeInclusionPolicy *o 7
 matchLabelKeys []string o 8 list=atomic
type TypedLocalObjectReference
 apiGroup string * 1
 kind string r 2
 name string r 3
type TypedObjectReference
 apiGroup string * 1
 kind string r 2
 name string r 3
 namespace string *o 4
enum URIScheme HTTP HTTPS
enum UnsatisfiableConstraintAction DoNotSchedule ScheduleAnyway
type Volume
 name string r 1
 < VolumeSource - 2
type VolumeDevice
 name string r 1
 devicePath string r 2
type VolumeMount
 name string r 1
 readOnly bool o 2
 recursiveReadOnly RecursiveReadOnlyMode *o 7
 mountPath string r 3
 subPath string o 4
 mountPropagation MountPropagationMode *o 5
 subPathExpr string o 6
type VolumeMountStatus
 name string r 1
 mountPath string r 2
 readOnly bool o 3
 recursiveReadOnly RecursiveReadOnlyMode *o 4
 volumeStatus VolumeStatus *o 5
type VolumeNodeAffinity
 required NodeSelector *o 1
type VolumeProjection
 secret SecretProjection *o 1
 downwardAPI DownwardAPIProjection *o 2
 configMap ConfigMapProjection *o 3
 serviceAccountToken ServiceAccountTokenProjection *o 4
 clusterTrustBundle ClusterTrustBundleProjection *o 5
 podCertificate PodCertificateProjection *o 6
type VolumeResourceRequirements
 limits ResourceList o 1
 requests ResourceList o 2
type VolumeSource
 hostPath HostPathVolumeSource *o 1
 emptyDir EmptyDirVolumeSource *o 2
 gcePersistentDisk GCEPersistentDiskVolumeSource *o 3
 awsElasticBlockStore AWSElasticBlockStoreVolumeSource *o 4
 gitRepo GitRepoVolumeSource *o 5
 secret SecretVolumeSource *o 6
 nfs NFSVolumeSource *o 7
 iscsi ISCSIVolumeSource *o 8
 glusterfs GlusterfsVolumeSource *o 9
 persistentVolumeClaim PersistentVolumeClaimVolumeSource *o 10
 rbd RBDVolumeSource *o 11
 flexVolume FlexVolumeSource *o 12
 cinder CinderVolumeSource *o 13
 cephfs CephFSVolumeSource *o 14
 flocker FlockerVolumeSource *o 15
 downwardAPI DownwardAPIVolumeSource *o 16
 fc FCVolumeSource *o 17
 azureFile AzureFileVolumeSource *o 18
 configMap ConfigMapVolumeSource *o 19
 vsphereVolume VsphereVirtualDiskVolumeSource *o 20
 quobyte QuobyteVolumeSource *o 21
 azureDisk AzureDiskVolumeSource *o 22
 photonPersistentDisk PhotonPersistentDiskVolumeSource *o 23
 projected ProjectedVolumeSource *o 26
 portworxVolume PortworxVolumeSource *o 24
 scaleIO ScaleIOVolumeSource *o 25
 storageos StorageOSVolumeSource *o 27
 csi CSIVolumeSource *o 28
 ephemeral EphemeralVolumeSource *o 29
 image ImageVolumeSource *o 30
type VolumeStatus
 image ImageVolumeStatus *o 1
type VsphereVirtualDiskVolumeSource
 volumePath string r 1
 fsType string o 2
 storagePolicyName string o 3
 storagePolicyID string o 4
type WeightedPodAffinityTerm
 weight int32 r 1
 podAffinityTerm PodAffinityTerm r 2
type WindowsSecurityContextOptions
 gmsaCredentialSpecName string *o 1
 gmsaCredentialSpec string *o 2
 runAsUserName string *o 3
 hostProcess bool *o 4
`,
  'admission/v1': `
package admission/v1 k8s.io/api/admission/v1
group admission.k8s.io v1
type AdmissionRequest
 uid string - 1
 kind meta/v1.GroupVersionKind - 2
 resource meta/v1.GroupVersionResource - 3
 subResource string o 4
 requestKind meta/v1.GroupVersionKind *o 13
 requestResource meta/v1.GroupVersionResource *o 14
 requestSubResource string o 15
 name string o 5
 namespace string o 6
 operation Operation - 7
 userInfo authentication/v1.UserInfo - 8
 object raw o 9
 oldObject raw o 10
 dryRun bool *o 11
 options raw o 12
type AdmissionResponse
 uid string - 1
 allowed bool - 2
 status meta/v1.Status *o 3
 patch bytes o 4
 patchType PatchType *o 5
 auditAnnotations {}string o 6
 warnings []string o 7 list=atomic
kind AdmissionReview
 request AdmissionRequest *o 1
 response AdmissionResponse *o 2
open Operation CREATE UPDATE DELETE CONNECT
open PatchType JSONPatch
`,
  'admissionregistration/v1': `
package admissionregistration/v1 k8s.io/api/admissionregistration/v1
group admissionregistration.k8s.io v1
type ApplyConfiguration
 expression string o 1
type AuditAnnotation
 key string r 1
 valueExpression string r 2
type ExpressionWarning
 fieldRef string r 2
 warning string r 3
enum FailurePolicyType Ignore Fail
type JSONPatch
 expression string o 1
type MatchCondition
 name string r 1
 expression string r 2
enum MatchPolicyType Exact Equivalent
type MatchResources
 namespaceSelector meta/v1.LabelSelector *o 1
 objectSelector meta/v1.LabelSelector *o 2
 resourceRules []NamedRuleWithOperations o 3 list=atomic
 excludeResourceRules []NamedRuleWithOperations o 4 list=atomic
 matchPolicy MatchPolicyType *o 7
kind MutatingAdmissionPolicy cluster
 metadata meta/v1.ObjectMeta o 1
 spec MutatingAdmissionPolicySpec o 2
kind MutatingAdmissionPolicyBinding cluster
 metadata meta/v1.ObjectMeta o 1
 spec MutatingAdmissionPolicyBindingSpec o 2
kind MutatingAdmissionPolicyBindingList
 metadata meta/v1.ListMeta o 1
 items []MutatingAdmissionPolicyBinding r 2
type MutatingAdmissionPolicyBindingSpec
 policyName string o 1
 paramRef ParamRef *o 2
 matchResources MatchResources *o 3
kind MutatingAdmissionPolicyList
 metadata meta/v1.ListMeta o 1
 items []MutatingAdmissionPolicy r 2
type MutatingAdmissionPolicySpec
 paramKind ParamKind *o 1
 matchConstraints MatchResources *o 2
 variables []Variable o 3 list=atomic
 mutations []Mutation o 4 list=atomic
 failurePolicy FailurePolicyType *o 5
 matchConditions []MatchCondition o 6 patch=merge merge=name list=map keys=name
 reinvocationPolicy ReinvocationPolicyType o 7
type MutatingWebhook
 name string r 1
 clientConfig WebhookClientConfig r 2
 rules []RuleWithOperations o 3 list=atomic
 failurePolicy FailurePolicyType *o 4
 matchPolicy MatchPolicyType *o 9
 namespaceSelector meta/v1.LabelSelector *o 5
 objectSelector meta/v1.LabelSelector *o 11
 sideEffects SideEffectClass r* 6
 timeoutSeconds int32 *o 7
 admissionReviewVersions []string r 8 list=atomic
 reinvocationPolicy ReinvocationPolicyType *o 10
 matchConditions []MatchCondition o 12 patch=merge merge=name list=map keys=name
kind MutatingWebhookConfiguration cluster
 metadata meta/v1.ObjectMeta o 1
 webhooks []MutatingWebhook o 2 patch=merge merge=name list=map keys=name
kind MutatingWebhookConfigurationList
 metadata meta/v1.ListMeta o 1
 items []MutatingWebhookConfiguration r 2
type Mutation
 patchType PatchType r 2
 applyConfiguration ApplyConfiguration *o 3
 jsonPatch JSONPatch *o 4
type NamedRuleWithOperations
 resourceNames []string o 1 list=atomic
 < RuleWithOperations - 2
enum OperationType * CREATE UPDATE DELETE CONNECT
type ParamKind
 apiVersion string o 1
 kind string o 2
type ParamRef
 name string o 1
 namespace string o 2
 selector meta/v1.LabelSelector *o 3
 parameterNotFoundAction ParameterNotFoundActionType *o 4
open ParameterNotFoundActionType Allow Deny
enum PatchType ApplyConfiguration JSONPatch
enum ReinvocationPolicyType Never IfNeeded
type Rule
 apiGroups []string o 1 list=atomic
 apiVersions []string o 2 list=atomic
 resources []string o 3 list=atomic
 scope ScopeType *o 4
type RuleWithOperations
 operations []OperationType o 1 list=atomic
 < Rule - 2
enum ScopeType Cluster Namespaced *
type ServiceReference
 namespace string r 1
 name string r 2
 path string *o 3
 port int32 *o 4
enum SideEffectClass Unknown None Some NoneOnDryRun
type TypeChecking
 expressionWarnings []ExpressionWarning o 1 list=atomic
kind ValidatingAdmissionPolicy cluster
 metadata meta/v1.ObjectMeta o 1
 spec ValidatingAdmissionPolicySpec o 2
 status ValidatingAdmissionPolicyStatus o 3
kind ValidatingAdmissionPolicyBinding cluster
 metadata meta/v1.ObjectMeta o 1
 spec ValidatingAdmissionPolicyBindingSpec o 2
kind ValidatingAdmissionPolicyBindingList
 metadata meta/v1.ListMeta o 1
 items []ValidatingAdmissionPolicyBinding r 2
type ValidatingAdmissionPolicyBindingSpec
 policyName string o 1
 paramRef ParamRef *o 2
 matchResources MatchResources *o 3
 validationActions []ValidationAction o 4 list=set
kind ValidatingAdmissionPolicyList
 metadata meta/v1.ListMeta o 1
 items []ValidatingAdmissionPolicy r 2
type ValidatingAdmissionPolicySpec
 paramKind ParamKind *o 1
 matchConstraints MatchResources *o 2
 validations []Validation o 3 list=atomic
 failurePolicy FailurePolicyType *o 4
 auditAnnotations []AuditAnnotation o 5 list=atomic
 matchConditions []MatchCondition o 6 patch=merge merge=name list=map keys=name
 variables []Variable o 7 patch=merge merge=name list=map keys=name
type ValidatingAdmissionPolicyStatus
 observedGeneration int64 o 1
 typeChecking TypeChecking *o 2
 conditions []meta/v1.Condition o 3 list=map keys=type
type ValidatingWebhook
 name string r 1
 clientConfig WebhookClientConfig r 2
 rules []RuleWithOperations o 3 list=atomic
 failurePolicy FailurePolicyType *o 4
 matchPolicy MatchPolicyType *o 9
 namespaceSelector meta/v1.LabelSelector *o 5
 objectSelector meta/v1.LabelSelector *o 10
 sideEffects SideEffectClass r* 6
 timeoutSeconds int32 *o 7
 admissionReviewVersions []string r 8 list=atomic
 matchConditions []MatchCondition o 11 patch=merge merge=name list=map keys=name
kind ValidatingWebhookConfiguration cluster
 metadata meta/v1.ObjectMeta o 1
 webhooks []ValidatingWebhook o 2 patch=merge merge=name list=map keys=name
kind ValidatingWebhookConfigurationList
 metadata meta/v1.ListMeta o 1
 items []ValidatingWebhookConfiguration r 2
type Validation
 expression string r 1
 message string o 2
 reason meta/v1.StatusReason *o 3
 messageExpression string o 4
enum ValidationAction Deny Warn Audit
type Variable
 name string r 1
 expression string r 2
type WebhookClientConfig
 url string *o 3
 service ServiceReference *o 1
 caBundle bytes o 2
`,
  'apiextensions/v1': `
package apiextensions/v1 k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1
group apiextensions.k8s.io v1
closed ConditionStatus True False Unknown
type ConversionRequest
 uid string r 1
 desiredAPIVersion string r 2
 objects []raw r 3 list=atomic
type ConversionResponse
 uid string r 1
 convertedObjects []raw r 2 list=atomic
 result meta/v1.Status r 3
kind ConversionReview
 request ConversionRequest *o 1
 response ConversionResponse *o 2
closed ConversionStrategyType None Webhook
type CustomResourceColumnDefinition
 name string r 1
 type string r 2
 format string o 3
 description string o 4
 priority int32 o 5
 jsonPath string r 6
type CustomResourceConversion
 strategy ConversionStrategyType r 1
 webhook WebhookConversion *o 2
kind CustomResourceDefinition cluster
 metadata meta/v1.ObjectMeta o 1
 spec CustomResourceDefinitionSpec r 2
 status CustomResourceDefinitionStatus o 3
type CustomResourceDefinitionCondition
 type CustomResourceDefinitionConditionType r 1
 status ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
 observedGeneration int64 o 6
open CustomResourceDefinitionConditionType Established NamesAccepted NonStructuralSchema Terminating KubernetesAPIApprovalPolicyConformant StorageMigrating
kind CustomResourceDefinitionList
 metadata meta/v1.ListMeta o 1
 items []CustomResourceDefinition r 2
type CustomResourceDefinitionNames
 plural string r 1
 singular string o 2
 shortNames []string o 3 list=atomic
 kind string r 4
 listKind string o 5
 categories []string o 6 list=atomic
type CustomResourceDefinitionSpec
 group string r 1
 names CustomResourceDefinitionNames r 3
 scope ResourceScope r 4
 versions []CustomResourceDefinitionVersion r 7 list=atomic
 conversion CustomResourceConversion *o 9
 preserveUnknownFields bool o 10
type CustomResourceDefinitionStatus
 conditions []CustomResourceDefinitionCondition - 1 list=map keys=type
 acceptedNames CustomResourceDefinitionNames - 2
 storedVersions []string - 3 list=atomic
 observedGeneration int64 o 4
type CustomResourceDefinitionVersion
 name string r 1
 served bool r 2
 storage bool r 3
 deprecated bool o 7
 deprecationWarning string *o 8
 schema CustomResourceValidation *o 4
 subresources CustomResourceSubresources *o 5
 additionalPrinterColumns []CustomResourceColumnDefinition o 6 list=atomic
 selectableFields []SelectableField o 9 list=atomic
type CustomResourceSubresourceScale
 specReplicasPath string r 1
 statusReplicasPath string r 2
 labelSelectorPath string *o 3
type CustomResourceSubresourceStatus
type CustomResourceSubresources
 status CustomResourceSubresourceStatus *o 1
 scale CustomResourceSubresourceScale *o 2
type CustomResourceValidation
 openAPIV3Schema JSONSchemaProps *o 1
type ExternalDocumentation
 description string o 1
 url string o 2
enum FieldValueErrorReason FieldValueRequired FieldValueDuplicate FieldValueInvalid FieldValueForbidden
alias JSONSchemaDefinitions {}JSONSchemaProps
alias JSONSchemaDependencies {}schemaOrStringArray
type JSONSchemaProps
 id string o 1
 $schema string o 2
 $ref string *o 3
 description string o 4
 type string o 5
 format string o 6
 title string o 7
 default json *o 8
 maximum double *o 9
 exclusiveMaximum bool o 10
 minimum double *o 11
 exclusiveMinimum bool o 12
 maxLength int64 *o 13
 minLength int64 *o 14
 pattern string o 15
 maxItems int64 *o 16
 minItems int64 *o 17
 uniqueItems bool o 18
 multipleOf double *o 19
 enum []json o 20 list=atomic
 maxProperties int64 *o 21
 minProperties int64 *o 22
 required []string o 23 list=atomic
 items schemaOrArray *o 24
 allOf []JSONSchemaProps o 25 list=atomic
 oneOf []JSONSchemaProps o 26 list=atomic
 anyOf []JSONSchemaProps o 27 list=atomic
 not JSONSchemaProps *o 28
 properties {}JSONSchemaProps o 29
 additionalProperties schemaOrBool *o 30
 patternProperties {}JSONSchemaProps o 31
 dependencies JSONSchemaDependencies o 32
 additionalItems schemaOrBool *o 33
 definitions JSONSchemaDefinitions o 34
 externalDocs ExternalDocumentation *o 35
 example json *o 36
 nullable bool o 37
 x-kubernetes-preserve-unknown-fields bool *o 38
 x-kubernetes-embedded-resource bool o 39
 x-kubernetes-int-or-string bool o 40
 x-kubernetes-list-map-keys []string o 41 list=atomic
 x-kubernetes-list-type string *o 42
 x-kubernetes-map-type string *o 43
 x-kubernetes-validations ValidationRules o 44 patch=merge merge=rule list=map keys=rule
closed ResourceScope Cluster Namespaced
type SelectableField
 jsonPath string r 1
type ServiceReference
 namespace string r 1
 name string r 2
 path string *o 3
 port int32 *o 4
type ValidationRule
 rule string r 1
 message string o 2
 messageExpression string o 3
 reason FieldValueErrorReason *o 4
 fieldPath string o 5
 optionalOldSelf bool *o 6
alias ValidationRules []ValidationRule
type WebhookClientConfig
 url string *o 3
 service ServiceReference *o 1
 caBundle bytes o 2
type WebhookConversion
 clientConfig WebhookClientConfig *o 2
 conversionReviewVersions []string r 3 list=atomic
`,
  'apidiscovery/v2': `
package apidiscovery/v2 k8s.io/api/apidiscovery/v2
group apidiscovery.k8s.io v2
kind APIGroupDiscovery
 metadata meta/v1.ObjectMeta o 1
 versions []APIVersionDiscovery o 2 list=map keys=version
kind APIGroupDiscoveryList
 metadata meta/v1.ListMeta o 1
 items []APIGroupDiscovery r 2
type APIResourceDiscovery
 resource string r 1
 responseKind meta/v1.GroupVersionKind *o 2
 scope ResourceScope r 3
 singularResource string r 4
 verbs []string r 5 list=set
 shortNames []string o 6 list=set
 categories []string o 7 list=set
 subresources []APISubresourceDiscovery o 8 list=map keys=subresource
type APISubresourceDiscovery
 subresource string r 1
 responseKind meta/v1.GroupVersionKind *o 2
 acceptedTypes []meta/v1.GroupVersionKind o 3 list=map keys=group,version,kind
 verbs []string r 4 list=set
type APIVersionDiscovery
 version string r 1
 resources []APIResourceDiscovery o 2 list=map keys=resource
 freshness DiscoveryFreshness o 3
closed DiscoveryFreshness Current Stale
closed ResourceScope Cluster Namespaced
`,
  'apps/v1': `
package apps/v1 k8s.io/api/apps/v1
group apps v1
kind ControllerRevision namespaced
 metadata meta/v1.ObjectMeta o 1
 data raw o 2
 revision int64 r 3
kind ControllerRevisionList
 metadata meta/v1.ListMeta o 1
 items []ControllerRevision r 2
kind DaemonSet namespaced
 metadata meta/v1.ObjectMeta o 1
 spec DaemonSetSpec o 2
 status DaemonSetStatus o 3
type DaemonSetCondition
 type string r 1
 status core/v1.ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
kind DaemonSetList
 metadata meta/v1.ListMeta o 1
 items []DaemonSet r 2
type DaemonSetSpec
 selector meta/v1.LabelSelector r* 1
 template core/v1.PodTemplateSpec r 2
 updateStrategy DaemonSetUpdateStrategy o 3
 minReadySeconds int32 o 4
 revisionHistoryLimit int32 *o 6
type DaemonSetStatus
 currentNumberScheduled int32 r 1
 numberMisscheduled int32 r 2
 desiredNumberScheduled int32 r 3
 numberReady int32 r 4
 observedGeneration int64 o 5
 updatedNumberScheduled int32 o 6
 numberAvailable int32 o 7
 numberUnavailable int32 o 8
 collisionCount int32 *o 9
 conditions []DaemonSetCondition o 10 patch=merge merge=type list=map keys=type
type DaemonSetUpdateStrategy
 type DaemonSetUpdateStrategyType o 1
 rollingUpdate RollingUpdateDaemonSet *o 2
enum DaemonSetUpdateStrategyType RollingUpdate OnDelete
kind Deployment namespaced
 metadata meta/v1.ObjectMeta o 1
 spec DeploymentSpec o 2
 status DeploymentStatus o 3
type DeploymentCondition
 type DeploymentConditionType r 1
 status core/v1.ConditionStatus r 2
 lastUpdateTime time o 6
 lastTransitionTime time o 7
 reason string o 4
 message string o 5
open DeploymentConditionType Available Progressing ReplicaFailure
kind DeploymentList
 metadata meta/v1.ListMeta o 1
 items []Deployment r 2
type DeploymentSpec
 replicas int32 *o 1
 selector meta/v1.LabelSelector r* 2
 template core/v1.PodTemplateSpec r 3
 strategy DeploymentStrategy o 4 patch=retainKeys
 minReadySeconds int32 o 5
 revisionHistoryLimit int32 *o 6
 paused bool o 7
 progressDeadlineSeconds int32 *o 9
type DeploymentStatus
 observedGeneration int64 o 1
 replicas int32 o 2
 updatedReplicas int32 o 3
 readyReplicas int32 o 7
 availableReplicas int32 o 4
 unavailableReplicas int32 o 5
 terminatingReplicas int32 *o 9
 conditions []DeploymentCondition o 6 patch=merge merge=type list=map keys=type
 collisionCount int32 *o 8
type DeploymentStrategy
 type DeploymentStrategyType o 1
 rollingUpdate RollingUpdateDeployment *o 2
enum DeploymentStrategyType Recreate RollingUpdate
closed PersistentVolumeClaimRetentionPolicyType Retain Delete
enum PodManagementPolicyType OrderedReady Parallel
kind ReplicaSet namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ReplicaSetSpec o 2
 status ReplicaSetStatus o 3
type ReplicaSetCondition
 type ReplicaSetConditionType r 1
 status core/v1.ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
open ReplicaSetConditionType ReplicaFailure
kind ReplicaSetList
 metadata meta/v1.ListMeta o 1
 items []ReplicaSet r 2
type ReplicaSetSpec
 replicas int32 *o 1
 minReadySeconds int32 o 4
 selector meta/v1.LabelSelector r* 2
 template core/v1.PodTemplateSpec o 3
type ReplicaSetStatus
 replicas int32 r 1
 fullyLabeledReplicas int32 o 2
 readyReplicas int32 o 4
 availableReplicas int32 o 5
 terminatingReplicas int32 *o 7
 observedGeneration int64 o 3
 conditions []ReplicaSetCondition o 6 patch=merge merge=type list=map keys=type
type RollingUpdateDaemonSet
 maxUnavailable intOrString *o 1
 maxSurge intOrString *o 2
type RollingUpdateDeployment
 maxUnavailable intOrString *o 1
 maxSurge intOrString *o 2
type RollingUpdateStatefulSetStrategy
 partition int32 *o 1
 maxUnavailable intOrString *o 2
kind StatefulSet namespaced
 metadata meta/v1.ObjectMeta o 1
 spec StatefulSetSpec o 2
 status StatefulSetStatus o 3
type StatefulSetCondition
 type string r 1
 status core/v1.ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
kind StatefulSetList
 metadata meta/v1.ListMeta o 1
 items []StatefulSet r 2
type StatefulSetOrdinals
 start int32 - 1
type StatefulSetPersistentVolumeClaimRetentionPolicy
 whenDeleted PersistentVolumeClaimRetentionPolicyType o 1
 whenScaled PersistentVolumeClaimRetentionPolicyType o 2
type StatefulSetSpec
 replicas int32 *o 1
 selector meta/v1.LabelSelector r* 2
 template core/v1.PodTemplateSpec r 3
 volumeClaimTemplates []core/v1.PersistentVolumeClaim o 4 list=atomic
 serviceName string - 5
 podManagementPolicy PodManagementPolicyType o 6
 updateStrategy StatefulSetUpdateStrategy o 7
 revisionHistoryLimit int32 *o 8
 minReadySeconds int32 o 9
 persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy *o 10
 ordinals StatefulSetOrdinals *o 11
type StatefulSetStatus
 observedGeneration int64 o 1
 replicas int32 r 2
 readyReplicas int32 o 3
 currentReplicas int32 o 4
 updatedReplicas int32 o 5
 currentRevision string o 6
 updateRevision string o 7
 collisionCount int32 *o 9
 conditions []StatefulSetCondition o 10 patch=merge merge=type list=map keys=type
 availableReplicas int32 - 11
type StatefulSetUpdateStrategy
 type StatefulSetUpdateStrategyType o 1
 rollingUpdate RollingUpdateStatefulSetStrategy *o 2
enum StatefulSetUpdateStrategyType RollingUpdate OnDelete
`,
  'authentication/v1': `
package authentication/v1 k8s.io/api/authentication/v1
group authentication.k8s.io v1
type BoundObjectReference
 kind string o 1
 apiVersion string o 2
 name string o 3
 uid string o 4
wrapped ExtraValue []string
kind SelfSubjectReview cluster
 metadata meta/v1.ObjectMeta o 1
 status SelfSubjectReviewStatus o 2
type SelfSubjectReviewStatus
 userInfo UserInfo o 1
kind TokenRequest
 metadata meta/v1.ObjectMeta o 1
 spec TokenRequestSpec - 2
 status TokenRequestStatus o 3
type TokenRequestSpec
 audiences []string - 1 list=atomic
 expirationSeconds int64 * 4
 boundObjectRef BoundObjectReference * 3
type TokenRequestStatus
 token string - 1
 expirationTimestamp time - 2
kind TokenReview cluster
 metadata meta/v1.ObjectMeta o 1
 spec TokenReviewSpec r 2
 status TokenReviewStatus o 3
type TokenReviewSpec
 token string o 1
 audiences []string o 2 list=atomic
type TokenReviewStatus
 authenticated bool o 1
 user UserInfo o 2
 audiences []string o 4 list=atomic
 error string o 3
type UserInfo
 username string o 1
 uid string o 2
 groups []string o 3 list=atomic
 extra {}ExtraValue o 4
`,
  'authorization/v1': `
package authorization/v1 k8s.io/api/authorization/v1
group authorization.k8s.io v1
wrapped ExtraValue []string
type FieldSelectorAttributes
 rawSelector string o 1
 requirements []meta/v1.FieldSelectorRequirement o 2 list=atomic
type LabelSelectorAttributes
 rawSelector string o 1
 requirements []meta/v1.LabelSelectorRequirement o 2 list=atomic
kind LocalSubjectAccessReview namespaced
 metadata meta/v1.ObjectMeta o 1
 spec SubjectAccessReviewSpec r 2
 status SubjectAccessReviewStatus o 3
type NonResourceAttributes
 path string o 1
 verb string o 2
type NonResourceRule
 verbs []string r 1 list=atomic
 nonResourceURLs []string o 2 list=atomic
type ResourceAttributes
 namespace string o 1
 verb string o 2
 group string o 3
 version string o 4
 resource string o 5
 subresource string o 6
 name string o 7
 fieldSelector FieldSelectorAttributes *o 8
 labelSelector LabelSelectorAttributes *o 9
type ResourceRule
 verbs []string r 1 list=atomic
 apiGroups []string o 2 list=atomic
 resources []string o 3 list=atomic
 resourceNames []string o 4 list=atomic
kind SelfSubjectAccessReview cluster
 metadata meta/v1.ObjectMeta o 1
 spec SelfSubjectAccessReviewSpec r 2
 status SubjectAccessReviewStatus o 3
type SelfSubjectAccessReviewSpec
 resourceAttributes ResourceAttributes *o 1
 nonResourceAttributes NonResourceAttributes *o 2
kind SelfSubjectRulesReview cluster
 metadata meta/v1.ObjectMeta o 1
 spec SelfSubjectRulesReviewSpec r 2
 status SubjectRulesReviewStatus o 3
type SelfSubjectRulesReviewSpec
 namespace string o 1
kind SubjectAccessReview cluster
 metadata meta/v1.ObjectMeta o 1
 spec SubjectAccessReviewSpec r 2
 status SubjectAccessReviewStatus o 3
type SubjectAccessReviewSpec
 resourceAttributes ResourceAttributes *o 1
 nonResourceAttributes NonResourceAttributes *o 2
 user string o 3
 groups []string o 4 list=atomic
 extra {}ExtraValue o 5
 uid string o 6
type SubjectAccessReviewStatus
 allowed bool r 1
 denied bool o 4
 reason string o 2
 evaluationError string o 3
type SubjectRulesReviewStatus
 resourceRules []ResourceRule r 1 list=atomic
 nonResourceRules []NonResourceRule r 2 list=atomic
 incomplete bool r 3
 evaluationError string o 4
`,
  'autoscaling/v1': `
package autoscaling/v1 k8s.io/api/autoscaling/v1
group autoscaling v1
type ContainerResourceMetricSource
 name core/v1.ResourceName r 1
 targetAverageUtilization int32 *o 2
 targetAverageValue quantity *o 3
 container string r 5
type ContainerResourceMetricStatus
 name core/v1.ResourceName r 1
 currentAverageUtilization int32 *o 2
 currentAverageValue quantity r 3
 container string r 4
type CrossVersionObjectReference
 kind string r 1
 name string r 2
 apiVersion string o 3
type ExternalMetricSource
 metricName string r 1
 metricSelector meta/v1.LabelSelector *o 2
 targetValue quantity *o 3
 targetAverageValue quantity *o 4
type ExternalMetricStatus
 metricName string r 1
 metricSelector meta/v1.LabelSelector *o 2
 currentValue quantity r 3
 currentAverageValue quantity *o 4
kind HorizontalPodAutoscaler namespaced
 metadata meta/v1.ObjectMeta o 1
 spec HorizontalPodAutoscalerSpec o 2
 status HorizontalPodAutoscalerStatus o 3
type HorizontalPodAutoscalerCondition
 type HorizontalPodAutoscalerConditionType r 1
 status core/v1.ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
open HorizontalPodAutoscalerConditionType ScalingActive AbleToScale ScalingLimited ScaledToZero
kind HorizontalPodAutoscalerList
 metadata meta/v1.ListMeta o 1
 items []HorizontalPodAutoscaler r 2
type HorizontalPodAutoscalerSpec
 scaleTargetRef CrossVersionObjectReference r 1
 minReplicas int32 *o 2
 maxReplicas int32 r 3
 targetCPUUtilizationPercentage int32 *o 4
type HorizontalPodAutoscalerStatus
 observedGeneration int64 *o 1
 lastScaleTime time *o 2
 currentReplicas int32 r 3
 desiredReplicas int32 r 4
 currentCPUUtilizationPercentage int32 *o 5
enum MetricSourceType Object Pods Resource ContainerResource External
type MetricSpec
 type MetricSourceType r 1
 object ObjectMetricSource *o 2
 pods PodsMetricSource *o 3
 resource ResourceMetricSource *o 4
 containerResource ContainerResourceMetricSource *o 7
 external ExternalMetricSource *o 5
type MetricStatus
 type MetricSourceType r 1
 object ObjectMetricStatus *o 2
 pods PodsMetricStatus *o 3
 resource ResourceMetricStatus *o 4
 containerResource ContainerResourceMetricStatus *o 7
 external ExternalMetricStatus *o 5
type ObjectMetricSource
 target CrossVersionObjectReference r 1
 metricName string r 2
 targetValue quantity r 3
 selector meta/v1.LabelSelector *o 4
 averageValue quantity *o 5
type ObjectMetricStatus
 target CrossVersionObjectReference r 1
 metricName string r 2
 currentValue quantity r 3
 selector meta/v1.LabelSelector *o 4
 averageValue quantity *o 5
type PodsMetricSource
 metricName string r 1
 targetAverageValue quantity r 2
 selector meta/v1.LabelSelector *o 3
type PodsMetricStatus
 metricName string r 1
 currentAverageValue quantity r 2
 selector meta/v1.LabelSelector *o 3
type ResourceMetricSource
 name core/v1.ResourceName r 1
 targetAverageUtilization int32 *o 2
 targetAverageValue quantity *o 3
type ResourceMetricStatus
 name core/v1.ResourceName r 1
 currentAverageUtilization int32 *o 2
 currentAverageValue quantity r 3
kind Scale
 metadata meta/v1.ObjectMeta o 1
 spec ScaleSpec o 2
 status ScaleStatus o 3
type ScaleSpec
 replicas int32 o 1 default=0
type ScaleStatus
 replicas int32 r 1
 selector string o 2
`,
  'autoscaling/v2': `
package autoscaling/v2 k8s.io/api/autoscaling/v2
group autoscaling v2
type ContainerResourceMetricSource
 name core/v1.ResourceName r 1
 target MetricTarget r 2
 container string r 3
type ContainerResourceMetricStatus
 name core/v1.ResourceName r 1
 current MetricValueStatus r 2
 container string r 3
type CrossVersionObjectReference
 kind string r 1
 name string r 2
 apiVersion string o 3
type ExternalMetricSource
 metric MetricIdentifier r 1
 target MetricTarget r 2
type ExternalMetricStatus
 metric MetricIdentifier r 1
 current MetricValueStatus r 2
type HPAScalingPolicy
 type HPAScalingPolicyType r 1
 value int32 r 2
 periodSeconds int32 r 3
closed HPAScalingPolicyType Pods Percent
type HPAScalingRules
 stabilizationWindowSeconds int32 *o 3
 selectPolicy ScalingPolicySelect *o 1
 policies []HPAScalingPolicy o 2 list=atomic
 tolerance quantity *o 4
kind HorizontalPodAutoscaler namespaced
 metadata meta/v1.ObjectMeta o 1
 spec HorizontalPodAutoscalerSpec o 2
 status HorizontalPodAutoscalerStatus o 3
type HorizontalPodAutoscalerBehavior
 scaleUp HPAScalingRules *o 1
 scaleDown HPAScalingRules *o 2
type HorizontalPodAutoscalerCondition
 type HorizontalPodAutoscalerConditionType r 1
 status core/v1.ConditionStatus r 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
open HorizontalPodAutoscalerConditionType ScalingActive AbleToScale ScalingLimited ScaledToZero
kind HorizontalPodAutoscalerList
 metadata meta/v1.ListMeta o 1
 items []HorizontalPodAutoscaler r 2
type HorizontalPodAutoscalerSpec
 scaleTargetRef CrossVersionObjectReference r 1
 minReplicas int32 *o 2
 maxReplicas int32 r 3
 metrics []MetricSpec o 4 list=atomic
 behavior HorizontalPodAutoscalerBehavior *o 5
type HorizontalPodAutoscalerStatus
 observedGeneration int64 *o 1
 lastScaleTime time *o 2
 currentReplicas int32 o 3
 desiredReplicas int32 r 4
 currentMetrics []MetricStatus - 5 list=atomic
 conditions []HorizontalPodAutoscalerCondition o 6 patch=merge merge=type list=map keys=type
type MetricIdentifier
 name string r 1
 selector meta/v1.LabelSelector *o 2
closed MetricSourceType Object Pods Resource ContainerResource External
type MetricSpec
 type MetricSourceType r 1
 object ObjectMetricSource *o 2
 pods PodsMetricSource *o 3
 resource ResourceMetricSource *o 4
 containerResource ContainerResourceMetricSource *o 7
 external ExternalMetricSource *o 5
type MetricStatus
 type MetricSourceType r 1
 object ObjectMetricStatus *o 2
 pods PodsMetricStatus *o 3
 resource ResourceMetricStatus *o 4
 containerResource ContainerResourceMetricStatus *o 7
 external ExternalMetricStatus *o 5
type MetricTarget
 type MetricTargetType r 1
 value quantity *o 2
 averageValue quantity *o 3
 averageUtilization int32 *o 4
closed MetricTargetType Utilization Value AverageValue
type MetricValueStatus
 value quantity *o 1
 averageValue quantity *o 2
 averageUtilization int32 *o 3
type ObjectMetricSource
 describedObject CrossVersionObjectReference r 1
 target MetricTarget r 2
 metric MetricIdentifier r 3
type ObjectMetricStatus
 metric MetricIdentifier r 1
 current MetricValueStatus r 2
 describedObject CrossVersionObjectReference r 3
type PodsMetricSource
 metric MetricIdentifier r 1
 target MetricTarget r 2
type PodsMetricStatus
 metric MetricIdentifier r 1
 current MetricValueStatus r 2
type ResourceMetricSource
 name core/v1.ResourceName r 1
 target MetricTarget r 2
type ResourceMetricStatus
 name core/v1.ResourceName r 1
 current MetricValueStatus r 2
closed ScalingPolicySelect Max Min Disabled
`,
  'batch/v1': `
package batch/v1 k8s.io/api/batch/v1
group batch v1
enum CompletionMode NonIndexed Indexed
enum ConcurrencyPolicy Allow Forbid Replace
kind CronJob namespaced
 metadata meta/v1.ObjectMeta o 1
 spec CronJobSpec o 2
 status CronJobStatus o 3
kind CronJobList
 metadata meta/v1.ListMeta o 1
 items []CronJob r 2
type CronJobSpec
 schedule string r 1
 timeZone string *o 8
 startingDeadlineSeconds int64 *o 2
 concurrencyPolicy ConcurrencyPolicy o 3
 suspend bool *o 4
 jobTemplate JobTemplateSpec r 5
 successfulJobsHistoryLimit int32 *o 6
 failedJobsHistoryLimit int32 *o 7
type CronJobStatus
 active []core/v1.ObjectReference o 1 list=atomic
 lastScheduleTime time *o 4
 lastSuccessfulTime time *o 5
kind Job namespaced
 metadata meta/v1.ObjectMeta o 1
 spec JobSpec o 2
 status JobStatus o 3
type JobCondition
 type JobConditionType r 1
 status core/v1.ConditionStatus r 2
 lastProbeTime time o 3
 lastTransitionTime time o 4
 reason string o 5
 message string o 6
open JobConditionType Suspended Complete Failed FailureTarget SuccessCriteriaMet
kind JobList
 metadata meta/v1.ListMeta o 1
 items []Job r 2
type JobSpec
 parallelism int32 *o 1
 completions int32 *o 2
 activeDeadlineSeconds int64 *o 3
 podFailurePolicy PodFailurePolicy *o 11
 successPolicy SuccessPolicy *o 16
 backoffLimit int32 *o 7
 backoffLimitPerIndex int32 *o 12
 maxFailedIndexes int32 *o 13
 selector meta/v1.LabelSelector *o 4
 manualSelector bool *o 5
 template core/v1.PodTemplateSpec r 6
 ttlSecondsAfterFinished int32 *o 8
 completionMode CompletionMode *o 9
 suspend bool *o 10
 podReplacementPolicy PodReplacementPolicy *o 14
 managedBy string *o 15
type JobStatus
 conditions []JobCondition o 1 patch=merge merge=type list=atomic
 startTime time *o 2
 completionTime time *o 3
 active int32 o 4
 succeeded int32 o 5
 failed int32 o 6
 terminating int32 *o 11
 completedIndexes string o 7
 failedIndexes string *o 10
 uncountedTerminatedPods UncountedTerminatedPods *o 8
 ready int32 *o 9
type JobTemplateSpec
 metadata meta/v1.ObjectMeta o 1
 spec JobSpec o 2
type PodFailurePolicy
 rules []PodFailurePolicyRule r 1 list=atomic
enum PodFailurePolicyAction FailJob FailIndex Ignore Count
enum PodFailurePolicyOnExitCodesOperator In NotIn
type PodFailurePolicyOnExitCodesRequirement
 containerName string *o 1
 operator PodFailurePolicyOnExitCodesOperator r 2
 values []int32 r 3 list=set
type PodFailurePolicyOnPodConditionsPattern
 type core/v1.PodConditionType r 1
 status core/v1.ConditionStatus - 2
type PodFailurePolicyRule
 action PodFailurePolicyAction r 1
 onExitCodes PodFailurePolicyOnExitCodesRequirement *o 2
 onPodConditions []PodFailurePolicyOnPodConditionsPattern o 3 list=atomic
enum PodReplacementPolicy TerminatingOrFailed Failed
type SuccessPolicy
 rules []SuccessPolicyRule r 1 list=atomic
type SuccessPolicyRule
 succeededIndexes string *o 1
 succeededCount int32 *o 2
type UncountedTerminatedPods
 succeeded []string o 1 list=set
 failed []string o 2 list=set
`,
  'certificates/v1': `
package certificates/v1 k8s.io/api/certificates/v1
group certificates.k8s.io v1
kind CertificateSigningRequest cluster
 metadata meta/v1.ObjectMeta o 1
 spec CertificateSigningRequestSpec r 2
 status CertificateSigningRequestStatus o 3
type CertificateSigningRequestCondition
 type RequestConditionType r 1
 status core/v1.ConditionStatus r 6
 reason string o 2
 message string o 3
 lastUpdateTime time o 4
 lastTransitionTime time o 5
kind CertificateSigningRequestList
 metadata meta/v1.ListMeta o 1
 items []CertificateSigningRequest r 2
type CertificateSigningRequestSpec
 request bytes r 1
 signerName string r 7
 expirationSeconds int32 *o 8
 usages []KeyUsage o 5 list=atomic
 username string o 2
 uid string o 3
 groups []string o 4 list=atomic
 extra {}ExtraValue o 6
type CertificateSigningRequestStatus
 conditions []CertificateSigningRequestCondition o 1 list=map keys=type
 certificate bytes o 2
wrapped ExtraValue []string
enum KeyUsage signing digital signature content commitment key encipherment key agreement data encipherment cert sign crl sign encipher only decipher only any server auth client auth code signing email protection s/mime ipsec end system ipsec tunnel ipsec user timestamping ocsp signing microsoft sgc netscape sgc
open RequestConditionType Approved Denied Failed
`,
  'coordination/v1': `
package coordination/v1 k8s.io/api/coordination/v1
group coordination.k8s.io v1
open CoordinatedLeaseStrategy OldestEmulationVersion
kind Lease namespaced
 metadata meta/v1.ObjectMeta o 1
 spec LeaseSpec o 2
kind LeaseList
 metadata meta/v1.ListMeta o 1
 items []Lease r 2
type LeaseSpec
 holderIdentity string *o 1
 leaseDurationSeconds int32 *o 2
 acquireTime microTime *o 3
 renewTime microTime *o 4
 leaseTransitions int32 *o 5
 strategy CoordinatedLeaseStrategy *o 6
 preferredHolder string *o 7
`,
  'discovery/v1': `
package discovery/v1 k8s.io/api/discovery/v1
group discovery.k8s.io v1
enum AddressType FQDN
type Endpoint
 addresses []string r 1 list=set
 conditions EndpointConditions o 2
 hostname string *o 3
 targetRef core/v1.ObjectReference *o 4
 deprecatedTopology {}string o 5
 nodeName string *o 6
 zone string *o 7
 hints EndpointHints *o 8
type EndpointConditions
 ready bool *o 1
 serving bool *o 2
 terminating bool *o 3
type EndpointHints
 forZones []ForZone o 1 list=atomic
 forNodes []ForNode o 2 list=atomic
type EndpointPort
 name string *o 1
 protocol core/v1.Protocol *o 2
 port int32 *o 3
 appProtocol string *o 4
kind EndpointSlice namespaced
 metadata meta/v1.ObjectMeta o 1
 addressType AddressType r 4
 endpoints []Endpoint - 2 list=atomic
 ports []EndpointPort - 3 list=atomic
kind EndpointSliceList
 metadata meta/v1.ListMeta o 1
 items []EndpointSlice r 2
type ForNode
 name string r 1
type ForZone
 name string r 1
`,
  'events/v1': `
package events/v1 k8s.io/api/events/v1
group events.k8s.io v1
kind Event namespaced
 metadata meta/v1.ObjectMeta - 1
 eventTime microTime r 2
 series EventSeries *o 3
 reportingController string o 4
 reportingInstance string o 5
 action string o 6
 reason string o 7
 regarding core/v1.ObjectReference o 8
 related core/v1.ObjectReference *o 9
 note string o 10
 type string o 11
 deprecatedSource core/v1.EventSource o 12
 deprecatedFirstTimestamp time o 13
 deprecatedLastTimestamp time o 14
 deprecatedCount int32 o 15
kind EventList
 metadata meta/v1.ListMeta o 1
 items []Event r 2
type EventSeries
 count int32 r 1
 lastObservedTime microTime r 2
`,
  'flowcontrol/v1': `
package flowcontrol/v1 k8s.io/api/flowcontrol/v1
group flowcontrol.apiserver.k8s.io v1
closed ConditionStatus True False Unknown
type ExemptPriorityLevelConfiguration
 nominalConcurrencyShares int32 *o 1
 lendablePercent int32 *o 2
type FlowDistinguisherMethod
 type FlowDistinguisherMethodType r 1
closed FlowDistinguisherMethodType ByUser ByNamespace
kind FlowSchema cluster
 metadata meta/v1.ObjectMeta o 1
 spec FlowSchemaSpec o 2
 status FlowSchemaStatus o 3
type FlowSchemaCondition
 type string o 1
 status ConditionStatus o 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
kind FlowSchemaList
 metadata meta/v1.ListMeta o 1
 items []FlowSchema r 2
type FlowSchemaSpec
 priorityLevelConfiguration PriorityLevelConfigurationReference r 1
 matchingPrecedence int32 - 2
 distinguisherMethod FlowDistinguisherMethod *o 3
 rules []PolicyRulesWithSubjects o 4 list=atomic
type FlowSchemaStatus
 conditions []FlowSchemaCondition o 1 patch=merge merge=type list=map keys=type
type GroupSubject
 name string r 1
type LimitResponse
 type LimitResponseType r 1
 queuing QueuingConfiguration *o 2
closed LimitResponseType Queue Reject
type LimitedPriorityLevelConfiguration
 nominalConcurrencyShares int32 * 1
 limitResponse LimitResponse o 2
 lendablePercent int32 *o 3
 borrowingLimitPercent int32 *o 4
type NonResourcePolicyRule
 verbs []string r 1 list=set
 nonResourceURLs []string r 6 list=set
type PolicyRulesWithSubjects
 subjects []Subject r 1 list=atomic
 resourceRules []ResourcePolicyRule o 2 list=atomic
 nonResourceRules []NonResourcePolicyRule o 3 list=atomic
kind PriorityLevelConfiguration cluster
 metadata meta/v1.ObjectMeta o 1
 spec PriorityLevelConfigurationSpec o 2
 status PriorityLevelConfigurationStatus o 3
type PriorityLevelConfigurationCondition
 type string o 1
 status ConditionStatus o 2
 lastTransitionTime time o 3
 reason string o 4
 message string o 5
kind PriorityLevelConfigurationList
 metadata meta/v1.ListMeta o 1
 items []PriorityLevelConfiguration r 2
type PriorityLevelConfigurationReference
 name string r 1
type PriorityLevelConfigurationSpec
 type PriorityLevelEnablement r 1
 limited LimitedPriorityLevelConfiguration *o 2
 exempt ExemptPriorityLevelConfiguration *o 3
type PriorityLevelConfigurationStatus
 conditions []PriorityLevelConfigurationCondition o 1 patch=merge merge=type list=map keys=type
closed PriorityLevelEnablement Exempt Limited
type QueuingConfiguration
 queues int32 - 1
 handSize int32 - 2
 queueLengthLimit int32 - 3
type ResourcePolicyRule
 verbs []string r 1 list=set
 apiGroups []string r 2 list=set
 resources []string r 3 list=set
 clusterScope bool o 4
 namespaces []string - 5 list=set
type ServiceAccountSubject
 namespace string r 1
 name string r 2
type Subject
 kind SubjectKind r 1
 user UserSubject *o 2
 group GroupSubject *o 3
 serviceAccount ServiceAccountSubject *o 4
closed SubjectKind User Group ServiceAccount
type UserSubject
 name string r 1
`,
  'networking/v1': `
package networking/v1 k8s.io/api/networking/v1
group networking.k8s.io v1
type HTTPIngressPath
 path string o 1
 pathType PathType r* 3
 backend IngressBackend r 2
type HTTPIngressRuleValue
 paths []HTTPIngressPath r 1 list=atomic
kind IPAddress cluster
 metadata meta/v1.ObjectMeta o 1
 spec IPAddressSpec o 2
kind IPAddressList
 metadata meta/v1.ListMeta o 1
 items []IPAddress r 2
type IPAddressSpec
 parentRef ParentReference *o 1
type IPBlock
 cidr string r 1
 except []string o 2 list=atomic
kind Ingress namespaced
 metadata meta/v1.ObjectMeta o 1
 spec IngressSpec o 2
 status IngressStatus o 3
type IngressBackend
 service IngressServiceBackend *o 4
 resource core/v1.TypedLocalObjectReference *o 3
kind IngressClass cluster
 metadata meta/v1.ObjectMeta o 1
 spec IngressClassSpec o 2
kind IngressClassList
 metadata meta/v1.ListMeta o 1
 items []IngressClass r 2
type IngressClassParametersReference
 apiGroup string *o 1
 kind string r 2
 name string r 3
 scope string * 4
 namespace string *o 5
type IngressClassSpec
 controller string o 1
 parameters IngressClassParametersReference *o 2
kind IngressList
 metadata meta/v1.ListMeta o 1
 items []Ingress r 2
type IngressLoadBalancerIngress
 ip string o 1
 hostname string o 2
 ports []IngressPortStatus o 4 list=atomic
type IngressLoadBalancerStatus
 ingress []IngressLoadBalancerIngress o 1 list=atomic
type IngressPortStatus
 port int32 r 1
 protocol core/v1.Protocol r 2
 error string *o 3
type IngressRule
 host string o 1
 < IngressRuleValue - 2
type IngressRuleValue
 http HTTPIngressRuleValue *o 1
type IngressServiceBackend
 name string r 1
 port ServiceBackendPort o 2
type IngressSpec
 ingressClassName string *o 4
 defaultBackend IngressBackend *o 1
 tls []IngressTLS o 2 list=atomic
 rules []IngressRule o 3 list=atomic
type IngressStatus
 loadBalancer IngressLoadBalancerStatus o 1
type IngressTLS
 hosts []string o 1 list=atomic
 secretName string o 2
kind NetworkPolicy namespaced
 metadata meta/v1.ObjectMeta o 1
 spec NetworkPolicySpec o 2
type NetworkPolicyEgressRule
 ports []NetworkPolicyPort o 1 list=atomic
 to []NetworkPolicyPeer o 2 list=atomic
type NetworkPolicyIngressRule
 ports []NetworkPolicyPort o 1 list=atomic
 from []NetworkPolicyPeer o 2 list=atomic
kind NetworkPolicyList
 metadata meta/v1.ListMeta o 1
 items []NetworkPolicy r 2
type NetworkPolicyPeer
 podSelector meta/v1.LabelSelector *o 1
 namespaceSelector meta/v1.LabelSelector *o 2
 ipBlock IPBlock *o 3
type NetworkPolicyPort
 protocol core/v1.Protocol *o 1
 port intOrString *o 2
 endPort int32 *o 3
type NetworkPolicySpec
 podSelector meta/v1.LabelSelector - 1
 ingress []NetworkPolicyIngressRule o 2 list=atomic
 egress []NetworkPolicyEgressRule o 3 list=atomic
 policyTypes []PolicyType o 4 list=atomic
type ParentReference
 group string o 1
 resource string o 2
 namespace string o 3
 name string o 4
enum PathType Exact Prefix ImplementationSpecific
enum PolicyType Ingress Egress
type ServiceBackendPort
 name string o 1
 number int32 o 2
kind ServiceCIDR cluster
 metadata meta/v1.ObjectMeta o 1
 spec ServiceCIDRSpec o 2
 status ServiceCIDRStatus o 3
kind ServiceCIDRList
 metadata meta/v1.ListMeta o 1
 items []ServiceCIDR r 2
type ServiceCIDRSpec
 cidrs []string o 1 list=atomic
type ServiceCIDRStatus
 conditions []meta/v1.Condition o 1 patch=merge merge=type list=map keys=type
`,
  'node/v1': `
package node/v1 k8s.io/api/node/v1
group node.k8s.io v1
type Overhead
 podFixed core/v1.ResourceList o 1
kind RuntimeClass cluster
 metadata meta/v1.ObjectMeta o 1
 handler string r 2
 overhead Overhead *o 3
 scheduling Scheduling *o 4
kind RuntimeClassList
 metadata meta/v1.ListMeta o 1
 items []RuntimeClass r 2
type Scheduling
 nodeSelector {}string o 1 map=atomic
 tolerations []core/v1.Toleration o 2 list=atomic
`,
  'policy/v1': `
package policy/v1 k8s.io/api/policy/v1
group policy v1
kind Eviction namespaced
 metadata meta/v1.ObjectMeta o 1
 deleteOptions meta/v1.DeleteOptions *o 2
kind PodDisruptionBudget namespaced
 metadata meta/v1.ObjectMeta o 1
 spec PodDisruptionBudgetSpec o 2
 status PodDisruptionBudgetStatus o 3
kind PodDisruptionBudgetList
 metadata meta/v1.ListMeta o 1
 items []PodDisruptionBudget r 2
type PodDisruptionBudgetSpec
 minAvailable intOrString *o 1
 selector meta/v1.LabelSelector *o 2 patch=replace
 maxUnavailable intOrString *o 3
 unhealthyPodEvictionPolicy UnhealthyPodEvictionPolicyType *o 4
type PodDisruptionBudgetStatus
 observedGeneration int64 o 1
 disruptedPods {}time o 2
 disruptionsAllowed int32 - 3
 currentHealthy int32 - 4
 desiredHealthy int32 - 5
 expectedPods int32 - 6
 conditions []meta/v1.Condition o 7 patch=merge merge=type list=map keys=type
enum UnhealthyPodEvictionPolicyType IfHealthyBudget AlwaysAllow
`,
  'rbac/v1': `
package rbac/v1 k8s.io/api/rbac/v1
group rbac.authorization.k8s.io v1
type AggregationRule
 clusterRoleSelectors []meta/v1.LabelSelector o 1 list=atomic
kind ClusterRole cluster
 metadata meta/v1.ObjectMeta o 1
 rules []PolicyRule - 2 list=atomic
 aggregationRule AggregationRule *o 3
kind ClusterRoleBinding cluster
 metadata meta/v1.ObjectMeta o 1
 subjects []Subject o 2 list=atomic
 roleRef RoleRef r 3
kind ClusterRoleBindingList
 metadata meta/v1.ListMeta o 1
 items []ClusterRoleBinding r 2
kind ClusterRoleList
 metadata meta/v1.ListMeta o 1
 items []ClusterRole r 2
type PolicyRule
 verbs []string r 1 list=atomic
 apiGroups []string o 2 list=atomic
 resources []string o 3 list=atomic
 resourceNames []string o 4 list=atomic
 nonResourceURLs []string o 5 list=atomic
kind Role namespaced
 metadata meta/v1.ObjectMeta o 1
 rules []PolicyRule - 2 list=atomic
kind RoleBinding namespaced
 metadata meta/v1.ObjectMeta o 1
 subjects []Subject o 2 list=atomic
 roleRef RoleRef r 3
kind RoleBindingList
 metadata meta/v1.ListMeta o 1
 items []RoleBinding r 2
kind RoleList
 metadata meta/v1.ListMeta o 1
 items []Role r 2
type RoleRef
 apiGroup string - 1
 kind string r 2
 name string r 3
type Subject
 kind string r 1
 apiGroup string o 2
 name string r 3
 namespace string o 4
`,
  'resource/v1': `
package resource/v1 k8s.io/api/resource/v1
group resource.k8s.io v1
type AllocatedDeviceStatus
 driver string r 1
 pool string r 2
 device string r 3
 shareID string *o 7
 conditions []meta/v1.Condition - 4 list=map keys=type
 data raw *o 5
 networkData NetworkDeviceData *o 6
enum AllocationConfigSource FromClass FromClaim
type AllocationResult
 devices DeviceAllocationResult o 1
 nodeSelector core/v1.NodeSelector *o 3
 allocationTimestamp time *o 5
type CELDeviceSelector
 expression string r 1
type CapacityRequestPolicy
 default quantity * 1
 validValues []quantity o 3 list=atomic
 validRange CapacityRequestPolicyRange *o 4
type CapacityRequestPolicyRange
 min quantity *o 1
 max quantity *o 2
 step quantity *o 3
type CapacityRequirements
 requests {}quantity o 1
type Counter
 value quantity r 1
type CounterSet
 name string r 1
 counters {}Counter o 2
type Device
 name string r 1
 attributes {}DeviceAttribute o 2
 capacity {}DeviceCapacity o 3
 consumesCounters []DeviceCounterConsumption o 4 list=atomic
 nodeName string *o 5
 nodeSelector core/v1.NodeSelector *o 6
 allNodes bool *o 7
 taints []DeviceTaint o 8 list=atomic
 bindsToNode bool *o 9
 bindingConditions []string o 10 list=atomic
 bindingFailureConditions []string o 11 list=atomic
 allowMultipleAllocations bool *o 12
 nodeAllocatableResourceMappings {}NodeAllocatableResourceMapping o 13
type DeviceAllocationConfiguration
 source AllocationConfigSource r 1
 requests []string o 2 list=atomic
 < DeviceConfiguration - 3
enum DeviceAllocationMode ExactCount All
type DeviceAllocationResult
 results []DeviceRequestAllocationResult o 1 list=atomic
 config []DeviceAllocationConfiguration o 2 list=atomic
type DeviceAttribute
 int int64 *o 2
 bool bool *o 3
 string string *o 4
 version string *o 5
 ints []int64 o 6 list=atomic
 bools []bool o 7 list=atomic
 strings []string o 8 list=atomic
 versions []string o 9 list=atomic
type DeviceCapacity
 value quantity r 1
 requestPolicy CapacityRequestPolicy *o 2
type DeviceClaim
 requests []DeviceRequest - 1 list=atomic
 constraints []DeviceConstraint o 2 list=atomic
 config []DeviceClaimConfiguration o 3 list=atomic
type DeviceClaimConfiguration
 requests []string o 1 list=atomic
 < DeviceConfiguration - 2
kind DeviceClass cluster
 metadata meta/v1.ObjectMeta o 1
 spec DeviceClassSpec r 2
type DeviceClassConfiguration
 < DeviceConfiguration - 1
kind DeviceClassList
 metadata meta/v1.ListMeta o 1
 items []DeviceClass r 2
type DeviceClassSpec
 selectors []DeviceSelector o 1 list=atomic
 config []DeviceClassConfiguration o 2 list=atomic
 extendedResourceName string *o 4
type DeviceConfiguration
 opaque OpaqueDeviceConfiguration *o 1
type DeviceConstraint
 requests []string o 1 list=atomic
 matchAttribute string *o 2
 distinctAttribute string *o 3
type DeviceCounterConsumption
 counterSet string r 1
 counters {}Counter o 2
type DeviceRequest
 name string r 1
 exactly ExactDeviceRequest *o 2
 firstAvailable []DeviceSubRequest o 3 list=atomic
type DeviceRequestAllocationResult
 request string r 1
 driver string r 2
 pool string r 3
 device string r 4
 adminAccess bool *o 5
 tolerations []DeviceToleration o 6 list=atomic
 bindingConditions []string o 7 list=atomic
 bindingFailureConditions []string o 8 list=atomic
 shareID string *o 9
 consumedCapacity {}quantity o 10
type DeviceSelector
 cel CELDeviceSelector *o 1
type DeviceSubRequest
 name string r 1
 deviceClassName string r 2
 selectors []DeviceSelector o 3 list=atomic
 allocationMode DeviceAllocationMode o 4
 count int64 o 5
 tolerations []DeviceToleration o 6 list=atomic
 capacity CapacityRequirements *o 7
type DeviceTaint
 key string r 1
 value string o 2
 effect DeviceTaintEffect r 3
 timeAdded time *o 4
enum DeviceTaintEffect None NoSchedule NoExecute
type DeviceToleration
 key string o 1
 operator DeviceTolerationOperator o 2 default="Equal"
 value string o 3
 effect DeviceTaintEffect o 4
 tolerationSeconds int64 *o 5
enum DeviceTolerationOperator Exists Equal
type ExactDeviceRequest
 deviceClassName string r 1
 selectors []DeviceSelector o 2 list=atomic
 allocationMode DeviceAllocationMode o 3
 count int64 o 4
 adminAccess bool *o 5
 tolerations []DeviceToleration o 6 list=atomic
 capacity CapacityRequirements *o 7
type NetworkDeviceData
 interfaceName string o 1
 ips []string o 2 list=atomic
 hardwareAddress string o 3
type NodeAllocatableResourceMapping
 capacityKey string *o 1
 allocationMultiplier quantity *o 2
type OpaqueDeviceConfiguration
 driver string r 1
 parameters raw r 2
kind ResourceClaim namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ResourceClaimSpec r 2
 status ResourceClaimStatus o 3
type ResourceClaimConsumerReference
 apiGroup string o 1
 resource string r 3
 name string r 4
 uid string r 5
kind ResourceClaimList
 metadata meta/v1.ListMeta o 1
 items []ResourceClaim r 2
type ResourceClaimSpec
 devices DeviceClaim - 1
type ResourceClaimStatus
 allocation AllocationResult *o 1
 reservedFor []ResourceClaimConsumerReference o 2 patch=merge merge=uid list=map keys=uid
 devices []AllocatedDeviceStatus o 4 list=map keys=driver,device,pool,shareID
kind ResourceClaimTemplate namespaced
 metadata meta/v1.ObjectMeta o 1
 spec ResourceClaimTemplateSpec r 2
kind ResourceClaimTemplateList
 metadata meta/v1.ListMeta o 1
 items []ResourceClaimTemplate r 2
type ResourceClaimTemplateSpec
 metadata meta/v1.ObjectMeta o 1
 spec ResourceClaimSpec r 2
type ResourcePool
 name string r 1
 generation int64 r 2
 resourceSliceCount int64 r 3
kind ResourceSlice cluster
 metadata meta/v1.ObjectMeta o 1
 spec ResourceSliceSpec r 2
kind ResourceSliceList
 metadata meta/v1.ListMeta o 1
 items []ResourceSlice r 2
type ResourceSliceSpec
 driver string r 1
 pool ResourcePool r 2
 nodeName string *o 3
 nodeSelector core/v1.NodeSelector *o 4
 allNodes bool *o 5
 devices []Device o 6 list=atomic
 perDeviceNodeSelection bool *o 7
 sharedCounters []CounterSet o 8 list=atomic
`,
  'scheduling/v1': `
package scheduling/v1 k8s.io/api/scheduling/v1
group scheduling.k8s.io v1
kind PriorityClass cluster
 metadata meta/v1.ObjectMeta o 1
 value int32 - 2
 globalDefault bool o 3
 description string o 4
 preemptionPolicy core/v1.PreemptionPolicy *o 5
kind PriorityClassList
 metadata meta/v1.ListMeta o 1
 items []PriorityClass r 2
`,
  'storage/v1': `
package storage/v1 k8s.io/api/storage/v1
group storage.k8s.io v1
kind CSIDriver cluster
 metadata meta/v1.ObjectMeta o 1
 spec CSIDriverSpec r 2
kind CSIDriverList
 metadata meta/v1.ListMeta o 1
 items []CSIDriver r 2
type CSIDriverSpec
 attachRequired bool *o 1
 podInfoOnMount bool *o 2
 volumeLifecycleModes []VolumeLifecycleMode o 3 list=set
 storageCapacity bool *o 4
 fsGroupPolicy FSGroupPolicy *o 5
 tokenRequests []TokenRequest o 6 list=atomic
 requiresRepublish bool *o 7
 seLinuxMount bool *o 8
 nodeAllocatableUpdatePeriodSeconds int64 *o 9
 serviceAccountTokenInSecrets bool *o 10
 preventPodSchedulingIfMissing bool *o 11
kind CSINode cluster
 metadata meta/v1.ObjectMeta o 1
 spec CSINodeSpec r 2
type CSINodeDriver
 name string r 1
 nodeID string r 2
 topologyKeys []string - 3 list=atomic
 allocatable VolumeNodeResources *o 4
kind CSINodeList
 metadata meta/v1.ListMeta o 1
 items []CSINode r 2
type CSINodeSpec
 drivers []CSINodeDriver r 1 patch=merge merge=name list=map keys=name
kind CSIStorageCapacity namespaced
 metadata meta/v1.ObjectMeta o 1
 nodeTopology meta/v1.LabelSelector *o 2
 storageClassName string r 3
 capacity quantity *o 4
 maximumVolumeSize quantity *o 5
kind CSIStorageCapacityList
 metadata meta/v1.ListMeta o 1
 items []CSIStorageCapacity r 2
closed FSGroupPolicy ReadWriteOnceWithFSType File None
kind StorageClass cluster
 metadata meta/v1.ObjectMeta o 1
 provisioner string r 2
 parameters {}string o 3
 reclaimPolicy core/v1.PersistentVolumeReclaimPolicy *o 4
 mountOptions []string o 5 list=atomic
 allowVolumeExpansion bool *o 6
 volumeBindingMode VolumeBindingMode *o 7
 allowedTopologies []core/v1.TopologySelectorTerm o 8 list=atomic
kind StorageClassList
 metadata meta/v1.ListMeta o 1
 items []StorageClass r 2
type TokenRequest
 audience string r 1
 expirationSeconds int64 *o 2
kind VolumeAttachment cluster
 metadata meta/v1.ObjectMeta o 1
 spec VolumeAttachmentSpec r 2
 status VolumeAttachmentStatus o 3
kind VolumeAttachmentList
 metadata meta/v1.ListMeta o 1
 items []VolumeAttachment r 2
type VolumeAttachmentSource
 persistentVolumeName string *o 1
 inlineVolumeSpec core/v1.PersistentVolumeSpec *o 2
type VolumeAttachmentSpec
 attacher string r 1
 source VolumeAttachmentSource r 2
 nodeName string r 3
type VolumeAttachmentStatus
 attached bool r 1
 attachmentMetadata {}string o 2
 attachError VolumeError *o 3
 detachError VolumeError *o 4
kind VolumeAttributesClass cluster
 metadata meta/v1.ObjectMeta o 1
 driverName string r 2
 parameters {}string o 3
kind VolumeAttributesClassList
 metadata meta/v1.ListMeta o 1
 items []VolumeAttributesClass r 2
enum VolumeBindingMode Immediate WaitForFirstConsumer
type VolumeError
 time time o 1
 message string o 2
 errorCode int32 *o 3
closed VolumeLifecycleMode Persistent Ephemeral
type VolumeNodeResources
 count int32 *o 1
`,
};
