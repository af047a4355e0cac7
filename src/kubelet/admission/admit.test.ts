import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import { type MachineRules, rejectionOf } from '#kubelet/admission/admit.ts';
import type { NodeToFit } from '#kubelet/admission/fits.ts';
import { allowedSysctls } from '#kubelet/admission/sysctls.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';

const asking = (requests: Record<string, string>, more: Partial<Container> = {}): Partial<PodSpec> => ({
  containers: [aContainer('main', { resources: { requests }, ...more })],
});
const onPort = (hostPort: number, more: object = {}): Partial<PodSpec> => ({
  containers: [aContainer('main', { ports: [{ containerPort: 80, hostPort, ...more }] })],
});
const labelled = (labels: Record<string, string>): Pod => {
  const pod = aPod();
  return { ...pod, metadata: { ...pod.metadata, labels } };
};
const fromFile = (spec: Partial<PodSpec>): Pod => {
  const pod = aPod(spec);
  return { ...pod, metadata: { ...pod.metadata, annotations: { 'kubernetes.io/config.source': 'file' } } };
};

const aNode = (more: Partial<Node['status']> = {}, taints: NonNullable<Node['spec']['taints']> = []): NodeToFit => ({
  metadata: { name: 'node1', labels: { disk: 'ssd', 'kubernetes.io/os': 'linux' } },
  spec: { taints },
  status: {
    allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', pods: '3', 'example.com/widget': '2' },
    ...more,
  },
});
const sysctls = (...names: readonly string[]): Partial<PodSpec> => ({
  securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) },
});

const lacks = (name: string, requested: number, used: number, capacity: number): string =>
  `OutOf${name}: Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
const affinity = "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
const ports = "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
const taint = "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate";
const forbidden = (why: string): string => `SysctlForbidden: forbidden sysctl: ${why}`;

const cases: readonly {
  readonly name: string;
  readonly pod: Pod;
  readonly node?: NodeToFit;
  readonly others?: readonly Pod[];
  readonly machine?: Partial<MachineRules>;
  readonly kernel?: string;
  /** undefined: it is let in. */
  readonly want: string | undefined;
}[] = [
  { name: 'asks for nothing', pod: aPod(), want: undefined },
  {
    name: 'takes all there is',
    pod: aPod(asking({ cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi' })),
    want: undefined,
  },
  { name: 'too much cpu, in thousandths', pod: aPod(asking({ cpu: '2500m' })), want: lacks('cpu', 2500, 0, 2000) },
  {
    name: 'too much cpu beside the others',
    pod: aPod(asking({ cpu: '1' })),
    others: [aPod(asking({ cpu: '700m' })), aPod(asking({ cpu: '600m' }))],
    want: lacks('cpu', 1000, 1300, 2000),
  },
  {
    name: 'too much memory, in bytes',
    pod: aPod(asking({ memory: '2Gi' })),
    want: lacks('memory', 2 ** 31, 0, 2 ** 30),
  },
  {
    name: 'too much disk',
    pod: aPod(asking({ 'ephemeral-storage': '11Gi' })),
    want: lacks('ephemeral-storage', 11 * 2 ** 30, 0, 10 * 2 ** 30),
  },
  { name: 'one pod too many', pod: aPod(), others: [aPod(), aPod(), aPod()], want: lacks('pods', 1, 3, 3) },
  {
    name: 'cpu and memory: the first is named',
    pod: aPod(asking({ cpu: '3', memory: '2Gi' })),
    want: lacks('cpu', 3000, 0, 2000),
  },
  {
    name: 'asks for nothing on a node that is too full already',
    pod: aPod(),
    others: [aPod(asking({ cpu: '5' }))],
    want: undefined,
  },
  {
    name: 'an init container that is hungrier than the others',
    pod: aPod({ initContainers: [aContainer('init', { resources: { requests: { cpu: '3' } } })] }),
    want: lacks('cpu', 3000, 0, 2000),
  },
  {
    name: 'its overhead counts',
    pod: aPod({ ...asking({ cpu: '1900m' }), overhead: { cpu: '200m' } }),
    want: lacks('cpu', 2100, 0, 2000),
  },
  {
    name: 'too much of an extended resource',
    pod: aPod(asking({ 'example.com/widget': '3' })),
    want: lacks('example.com/widget', 3, 0, 2),
  },
  {
    name: 'an extended resource the node does not know',
    pod: aPod(asking({ 'example.com/other': '3' })),
    want: undefined,
  },
  {
    name: 'huge pages the node does not have',
    pod: aPod(asking({ 'hugepages-2Mi': '4Mi' })),
    want: lacks('hugepages-2Mi', 4 * 2 ** 20, 0, 0),
  },

  { name: 'the right node', pod: aPod({ nodeName: 'node1', nodeSelector: { disk: 'ssd' } }), want: undefined },
  { name: 'a selector that does not match', pod: aPod({ nodeSelector: { disk: 'hdd' } }), want: affinity },
  {
    name: 'an affinity that does not match',
    pod: aPod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }],
          },
        },
      },
    }),
    want: affinity,
  },
  {
    name: 'another node',
    pod: aPod({ nodeName: 'node2' }),
    want: "NodeName: Predicate NodeName failed: node(s) didn't match the requested node name",
  },

  { name: 'a port that is free', pod: aPod(onPort(8080)), others: [aPod(onPort(8081))], want: undefined },
  { name: 'a port that is taken', pod: aPod(onPort(8080)), others: [aPod(onPort(8080))], want: ports },
  {
    name: 'a port taken on all addresses',
    pod: aPod(onPort(8080, { hostIP: '127.0.0.1' })),
    others: [aPod(onPort(8080, { hostIP: '0.0.0.0' }))],
    want: ports,
  },
  {
    name: 'one port at two addresses',
    pod: aPod(onPort(8080, { hostIP: '127.0.0.1' })),
    others: [aPod(onPort(8080, { hostIP: '127.0.0.2' }))],
    want: undefined,
  },
  {
    name: 'one port, two protocols',
    pod: aPod(onPort(8080, { protocol: 'UDP' })),
    others: [aPod(onPort(8080))],
    want: undefined,
  },
  {
    name: 'a port of a sidecar',
    pod: aPod({ initContainers: [{ ...onPort(8080).containers![0]!, name: 's', restartPolicy: 'Always' }] }),
    others: [aPod(onPort(8080))],
    want: ports,
  },

  { name: 'a taint that drives out', pod: aPod(), node: aNode({}, [{ key: 'k', effect: 'NoExecute' }]), want: taint },
  {
    name: 'one that it tolerates',
    pod: aPod({ tolerations: [{ key: 'k', operator: 'Exists' }] }),
    node: aNode({}, [{ key: 'k', effect: 'NoExecute' }]),
    want: undefined,
  },
  {
    name: 'one that only keeps schedulers away',
    pod: aPod(),
    node: aNode({}, [{ key: 'k', effect: 'NoSchedule' }]),
    want: undefined,
  },
  {
    name: 'a static pod is not driven out',
    pod: fromFile({}),
    node: aNode({}, [{ key: 'k', effect: 'NoExecute' }]),
    want: undefined,
  },
  {
    name: 'a static pod has to fit like any other',
    pod: fromFile(asking({ cpu: '3' })),
    want: lacks('cpu', 3000, 0, 2000),
  },

  {
    name: 'another operating system',
    pod: aPod({ os: { name: 'windows' } }),
    want: "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
  },
  { name: 'this operating system', pod: aPod({ os: { name: 'linux' } }), want: undefined },
  {
    name: 'labelled with another',
    pod: labelled({ 'kubernetes.io/os': 'windows' }),
    want: "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
  },

  { name: 'safe sysctls', pod: aPod(sysctls('kernel.shm_rmid_forced', 'net/ipv4/tcp_syncookies')), want: undefined },
  { name: 'one that is not', pod: aPod(sysctls('kernel.msgmax')), want: forbidden('"kernel.msgmax" not allowlisted') },
  {
    name: 'the whole machine in slashes',
    pod: aPod(sysctls('vm/swappiness')),
    want: forbidden('"vm.swappiness" not allowlisted'),
  },
  { name: 'safe since a newer kernel', pod: aPod(sysctls('net.ipv4.tcp_rmem')), want: undefined },
  {
    name: 'safe, but not with this kernel',
    pod: aPod(sysctls('net.ipv4.tcp_rmem')),
    kernel: '4.14.9-old',
    want: forbidden('"net.ipv4.tcp_rmem" not allowlisted'),
  },
  {
    name: 'unsafe ones that are allowed',
    pod: aPod(sysctls('kernel.msgmax', 'net.core.somaxconn')),
    machine: { sysctls: allowedSysctls('6.1', ['kernel.msg*', 'net/core/somaxconn']) },
    want: undefined,
  },
  {
    name: "the host's own processes would see it",
    pod: aPod({ ...sysctls('kernel.shm_rmid_forced'), hostIPC: true }),
    want: forbidden('"kernel.shm_rmid_forced" not allowed with host ipc enabled'),
  },

  {
    name: 'groups that the runtime cannot keep strictly',
    pod: aPod({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    want: 'SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not supported in this node',
  },
  {
    name: 'groups on a node that can',
    pod: aPod({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    node: aNode({ features: { supplementalGroupsPolicy: true } }),
    want: undefined,
  },
  {
    name: 'a profile that nobody enforces',
    pod: aPod({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
    want: 'AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host',
  },
  {
    name: 'no profile wanted',
    pod: aPod({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
    want: undefined,
  },
  {
    name: 'a profile where it is on',
    pod: aPod({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
    machine: { appArmor: true },
    want: undefined,
  },
];

for (const { name, pod, node = aNode(), others = [], machine, kernel = '6.1.0-13-amd64', want } of cases) {
  test(`admission: ${name}`, () => {
    const rules = { operatingSystem: 'linux', sysctls: allowedSysctls(kernel, []), appArmor: false, ...machine };
    const rejection = rejectionOf({ pod, node, others, machine: rules });
    assert.equal(rejection && `${rejection.reason}: ${rejection.message}`, want);
  });
}
