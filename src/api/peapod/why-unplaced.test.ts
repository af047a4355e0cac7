import { test } from 'node:test';
import type { PodCondition } from '#api/generated/core-v1.ts';
import { check, node, pod, scheduled, type Case, type Story } from '#api/peapod/why-fixtures.ts';

const nowhere = (reasons: string, total = 1): Story['pod'] =>
  pod({
    spec: { nodeName: undefined },
    status: {
      phase: 'Pending',
      conditions: [
        scheduled(
          'Unschedulable',
          `0/${total} nodes are available: ${reasons}. preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`,
        ),
      ],
    },
  });
const unplaced = (spec: object, conditions: readonly PodCondition[] = []): Story['pod'] =>
  pod({ spec: { nodeName: undefined, ...spec }, status: { phase: 'Pending', conditions } });
const asking = (requests: object, message: string): Story['pod'] =>
  pod({
    spec: { nodeName: undefined, containers: [{ name: 'main', image: 'app:1', resources: { requests } }] },
    status: { phase: 'Pending', conditions: [scheduled('Unschedulable', message)] },
  });
const shortOfCpu =
  '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

const unplacedCases: readonly Case[] = [
  { name: 'not looked at yet', pod: unplaced({}), want: 'web waits to be looked at by the scheduler', help: '' },
  {
    name: 'more cpu than any node has',
    pod: asking({ cpu: '64' }, shortOfCpu),
    nodes: [node('node1')],
    want: 'web has no node: the only one is short of cpu (64 asked, 2 free at best)',
    help: 'ask for no more than the 2 cpu that the largest node has (resources.requests.cpu), or use a larger machine',
  },
  {
    name: 'cpu that others have',
    pod: asking({ cpu: '1' }, shortOfCpu),
    nodes: [node('node1')],
    pods: [pod({ name: 'other', spec: { containers: [{ name: 'a', resources: { requests: { cpu: '1500m' } } }] } })],
    want: 'web has no node: the only one is short of cpu (1 asked, 500m free at best)',
    help: 'ask for less (resources.requests.cpu), or delete pods that are not needed: it is then placed by itself',
  },
  {
    name: 'nobody has looked at the nodes',
    pod: asking({ memory: '64Gi' }, '0/1 nodes are available: 1 Insufficient memory.'),
    want: 'web has no node: the only one is short of memory (64Gi asked)',
    help: /^ask for less \(resources\.requests\.memory\)/,
  },
  {
    name: 'several nodes, several reasons',
    pod: asking(
      { cpu: '3' },
      '0/4 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s), 1 node(s) were unschedulable. preemption: no.',
    ),
    nodes: [
      node('a'),
      node('b', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
      node('c', { unschedulable: true }),
    ],
    want: 'web has no node: none of 4 fits: 2 are tainted in a way it does not tolerate (gpu=yes:NoSchedule), 1 is short of cpu (3 asked, 2 free at best), 1 is closed to new pods (cordoned)',
    help: 'add a toleration for gpu to spec.tolerations, or take the taint off: kubectl taint node b gpu-',
  },
  {
    name: 'cordoned',
    pod: nowhere('1 node(s) were unschedulable'),
    nodes: [node('node1', { unschedulable: true })],
    want: 'web has no node: the only one is closed to new pods (cordoned)',
    help: 'open it again: kubectl uncordon node1',
  },
  {
    name: 'a node that is not ready',
    pod: nowhere('1 node(s) had untolerated taint(s)'),
    nodes: [node('node1', { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] })],
    want: 'web has no node: the only one is not ready (taint node.kubernetes.io/not-ready:NoSchedule)',
    help: 'see what is wrong with it: kubectl describe node node1',
  },
  {
    name: 'a selector',
    pod: pod({
      spec: { nodeName: undefined, nodeSelector: { disk: 'ssd' } },
      status: {
        phase: 'Pending',
        conditions: [
          scheduled(
            'Unschedulable',
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: x.",
          ),
        ],
      },
    }),
    nodes: [node('node1')],
    want: 'web has no node: the only one is not what nodeSelector disk=ssd asks for',
    help: 'label a node so (kubectl label node node1 disk=ssd), or change spec.nodeSelector',
  },
  {
    name: 'a host port',
    pod: nowhere("1 node(s) didn't have free ports for the requested pod ports"),
    want: 'web has no node: the only one is where another pod has its host port',
    help: /^choose another hostPort/,
  },
  {
    name: 'a reason nobody has foreseen',
    pod: nowhere('2 node(s) had volume node affinity conflict', 2),
    want: 'web has no node: none of 2 fits: 2 are refused: node(s) had volume node affinity conflict',
    help: /.+/,
  },
  {
    name: 'no nodes at all',
    pod: unplaced({}, [scheduled('Unschedulable', 'no nodes available to schedule pods')]),
    want: 'web has no node: the cluster has none',
    help: /peapod status/,
  },
  {
    name: 'gates',
    pod: unplaced({ schedulingGates: [{ name: 'a/b' }] }, [scheduled('SchedulingGated', 'x')]),
    want: 'web is held back by scheduling gate a/b',
    help: /^who has set it takes it off/,
  },
  {
    name: "another's scheduler",
    pod: unplaced({ schedulerName: 'mine' }),
    want: 'web waits for a scheduler called mine, and none of that name has said anything about it',
    help: /leave out spec\.schedulerName/,
  },
];

check(test, unplacedCases);
