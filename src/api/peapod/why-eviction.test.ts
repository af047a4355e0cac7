import { test } from 'node:test';
import type { Node, Taint, Toleration } from '#api/generated/core-v1.ts';
import { at, check, node, pod, runs, type Case } from '#api/peapod/why-fixtures.ts';

const unreachable = (seconds: number): Taint => ({
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: at(seconds),
});
const gpu: Taint = { key: 'gpu', value: 'yes', effect: 'NoExecute' };
const tolerates = ({ key }: Taint, tolerationSeconds?: number): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const lost = (...taints: readonly Taint[]): Node =>
  node(
    'node1',
    { taints },
    { status: 'Unknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: at(-120) },
  );
const well = node('node2');
const onIt = (tolerations: readonly Toleration[], metadata: object = {}): Case['pod'] =>
  pod({ metadata, spec: { tolerations }, status: { ...runs(), conditions: [{ type: 'Ready', status: 'False' }] } });
const said = 'web cannot go on: node node1 has not been Ready for 2 min: Kubelet stopped posting node status';
const look = 'see that peapod runs there: kubectl describe node node1';

const lostCases: readonly Case[] = [
  {
    name: 'its node is lost, its time runs',
    pod: onIt([tolerates(unreachable(0), 300)]),
    nodes: [lost(unreachable(-115)), well],
    want: `${said}; if that goes on it is evicted in 3 min 5 s`,
    help: look,
  },
  {
    name: 'its node is lost, its time is over',
    pod: onIt([tolerates(unreachable(0), 100)]),
    nodes: [lost(unreachable(-115)), well],
    want: `${said}; it is about to be evicted`,
    help: look,
  },
  {
    name: 'its node is lost, and it does not tolerate that at all',
    pod: onIt([]),
    nodes: [lost(unreachable(-115)), well],
    want: `${said}; it is about to be evicted`,
    help: look,
  },
  {
    name: 'its node is lost, and it tolerates that',
    pod: onIt([tolerates(unreachable(0))]),
    nodes: [lost(unreachable(-115)), well],
    want: `${said}; it tolerates that and stays there`,
    help: look,
  },
  {
    name: 'its node is lost, nobody noted since when',
    pod: onIt([tolerates(gpu, 60)]),
    nodes: [lost(gpu), well],
    want: `${said}; it is evicted if that goes on`,
    help: look,
  },
  {
    name: 'all nodes are lost',
    pod: onIt([tolerates(unreachable(0), 300)]),
    nodes: [lost(), node('node2', {}, { status: 'Unknown' })],
    want: `${said}; no node is Ready, and as long as that is so nobody is evicted`,
    help: look,
  },
  {
    name: 'its node is lost, its turn has not come',
    pod: onIt([tolerates(unreachable(0), 300)]),
    nodes: [lost(), well],
    want: `${said}.`,
    help: look,
  },
  {
    name: 'its node is lost, and it was evicted',
    pod: {
      ...onIt([], { deletionTimestamp: at(-10), deletionGracePeriodSeconds: 30 }),
      status: {
        phase: 'Running',
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }],
      },
    },
    nodes: [lost(unreachable(-115)), well],
    want: 'web has been ending for 40 s (evicted: it may not stay on a node with such a taint), and nobody can end it: node node1 has not been Ready for 2 min: Kubelet stopped posting node status.',
    help: /^bring the node back, or/,
  },
];

const ready = (tolerations: readonly Toleration[]): Case['pod'] =>
  pod({
    spec: { tolerations },
    status: { ...runs({ ready: true }), conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(-60) }] },
  });
const tainted = (timeAdded?: string): Node => node('node1', { taints: [{ ...gpu, ...(timeAdded && { timeAdded }) }] });
const help = 'let the pod tolerate it (spec.tolerations), or take it off: kubectl taint node node1 gpu:NoExecute-';

const taintedCases: readonly Case[] = [
  {
    name: 'somebody has tainted its node',
    pod: ready([]),
    nodes: [tainted()],
    want: 'web has been ready for 1 min, but it is evicted from node node1, which has taint gpu=yes:NoExecute',
    help,
    ready: true,
  },
  {
    name: 'somebody has tainted its node, and it has some time',
    pod: ready([tolerates(gpu, 60)]),
    nodes: [tainted(at(-20))],
    want: 'web has been ready for 1 min, but it is evicted from node node1 in 40 s, which has taint gpu=yes:NoExecute',
    help,
    ready: true,
  },
  {
    name: 'somebody has tainted its node, which it tolerates',
    pod: ready([tolerates(gpu)]),
    nodes: [tainted()],
    want: 'web has been ready for 1 min',
    help: '',
    ready: true,
  },
];

check(test, [...lostCases, ...taintedCases]);
