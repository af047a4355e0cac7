/**
 * Who may do what, until there are roles to configure: upstream's own roles for its own parts, as one table.
 * Whoever is not named here, and not in `system:masters`, may discover the API and ask what they may do, and nothing else.
 */
export interface Rule {
  /** As upstream's role is called. */
  readonly name: string;
  readonly groups?: readonly string[];
  readonly users?: readonly string[];
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  /** `pods`, `pods/status`, or `*`. */
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Only the object that has the node's own name. */
  readonly ownName?: boolean;
  /** Paths outside of the resources; a `*` at the end stands for anything. */
  readonly paths?: readonly string[];
}

const healthPaths = ['/healthz', '/livez', '/livez/*', '/readyz', '/readyz/*', '/healthz/*', '/version', '/version/'];
const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];

const node = 'system:node';
const nodes = { name: node, groups: ['system:nodes'] } as const;
const scheduler = { name: 'system:kube-scheduler', users: ['system:kube-scheduler'] } as const;
const controllers = { name: 'system:kube-controller-manager', users: ['system:kube-controller-manager'] } as const;

export const rules: readonly Rule[] = [
  {
    name: 'system:public-info-viewer',
    groups: ['system:authenticated', 'system:unauthenticated'],
    verbs: ['get', 'head'],
    paths: healthPaths,
  },
  {
    name: 'system:discovery',
    groups: ['system:authenticated'],
    verbs: ['get', 'head'],
    paths: ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'],
  },
  {
    name: 'system:basic-user',
    groups: ['system:authenticated'],
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io', 'authentication.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'],
  },

  {
    ...nodes,
    verbs: read,
    apiGroups: [''],
    resources: ['pods', 'nodes', 'services', 'configmaps', 'secrets', 'namespaces'],
  },
  { ...nodes, verbs: ['get'], apiGroups: [''], resources: ['serviceaccounts'] },
  { ...nodes, verbs: ['get'], apiGroups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes'] },
  { ...nodes, verbs: ['create'], apiGroups: [''], resources: ['nodes', 'pods', 'serviceaccounts/token'] },
  { ...nodes, verbs: ['update', 'patch'], apiGroups: [''], resources: ['nodes', 'nodes/status'], ownName: true },
  { ...nodes, verbs: ['delete'], apiGroups: [''], resources: ['pods'] },
  { ...nodes, verbs: ['update', 'patch'], apiGroups: [''], resources: ['pods/status'] },
  { ...nodes, verbs: ['create'], apiGroups: [''], resources: ['pods/eviction'] },
  { ...nodes, verbs: ['create', 'update', 'patch'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  {
    ...nodes,
    verbs: ['get', 'create', 'update', 'patch', 'delete'],
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    namespaces: ['kube-node-lease'],
  },
  // Of its own pods only: the resource sees to that.
  { ...nodes, verbs: ['create'], apiGroups: ['peapod.dev'], resources: ['podtimelines/entries'] },
  { ...nodes, verbs: read, apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'] },
  {
    ...nodes,
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io', 'authentication.k8s.io'],
    resources: ['subjectaccessreviews', 'tokenreviews'],
  },

  { ...scheduler, verbs: read, apiGroups: ['*'], resources: ['*'] },
  { ...scheduler, verbs: ['create'], apiGroups: [''], resources: ['pods/binding', 'bindings'] },
  { ...scheduler, verbs: ['update', 'patch'], apiGroups: [''], resources: ['pods/status'] },
  { ...scheduler, verbs: ['delete'], apiGroups: [''], resources: ['pods'] },
  {
    ...scheduler,
    verbs: ['update', 'patch'],
    apiGroups: [''],
    resources: ['persistentvolumeclaims', 'persistentvolumes'],
  },
  { ...scheduler, verbs: ['create', 'update', 'patch'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  { ...scheduler, verbs: ['create'], apiGroups: ['peapod.dev'], resources: ['podtimelines/entries'] },
  { ...scheduler, verbs: ['create', 'update', 'get'], apiGroups: ['coordination.k8s.io'], resources: ['leases'] },

  { ...controllers, verbs: [...read, ...write], apiGroups: ['*'], resources: ['*'] },
  {
    ...controllers,
    verbs: ['update', 'patch', 'create'],
    apiGroups: ['*'],
    resources: [
      'pods/status',
      'nodes/status',
      'namespaces/status',
      'namespaces/finalize',
      'serviceaccounts/token',
      'services/status',
      'poddisruptionbudgets/status',
      'persistentvolumeclaims/status',
      'persistentvolumes/status',
    ],
  },

  {
    name: 'system:service-account-issuer-discovery',
    groups: ['system:serviceaccounts'],
    verbs: ['get'],
    paths: ['/.well-known/openid-configuration', '/openid/v1/jwks'],
  },
];
