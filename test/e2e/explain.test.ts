/** `peapod simulate` and `peapod why POD --node NODE` as people type them, on a cluster whose scheduler has a configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Simulation } from '#api/peapod/simulation.ts';
import type { NodeAnswer } from '#cli/verdict-text.ts';
import type { WhyAnswer } from '#cli/why-text.ts';
import { examples, peapod, until } from '#test/e2e/support/cluster.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

const directory = mkdtempSync(join(tmpdir(), 'peapod-explain-'));
after(() => rmSync(directory, { recursive: true }));

/** Nobody may go to a node without this label, whatever pods say. */
const configuration = join(directory, 'scheduler.yaml');
writeFileSync(
  configuration,
  `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
  - pluginConfig:
      - name: NodeAffinity
        args:
          addedAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms: [{ matchExpressions: [{ key: open, operator: Exists }] }]
`,
);
const web = join(directory, 'web.json');
const spec = { containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu: '100m' } } }] };
writeFileSync(web, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }));

test('simulate: on the files of the examples, without a cluster', async () => {
  const file = (name: string): string => join(examples, 'simulate', name);
  const nodes = ['--nodes', file('nodes.yaml')];
  const none = ['--data-dir', join(directory, 'none')];
  const fits = await peapod(['simulate', '-f', file('web.yaml'), ...nodes, ...none]);
  assert.deepEqual([fits.code, fits.stderr], [0, '']);
  assert.match(fits.stdout, /^web {2}small {2}2 of 3 nodes fit: small \d+, busy \d+\nit fits\n$/);
  const nowhere = await peapod(['simulate', '-f', file('analytics.yaml'), ...nodes, ...none]);
  assert.deepEqual([nowhere.code, nowhere.stderr], [1, '']);
  assert.match(nowhere.stdout, /nearest: small: short of cpu by 1 \(3 asked, 2 of 2 free\)\n/);
  const bad = await peapod(['simulate', '-f', file('nodes.yaml'), ...nodes, ...none]);
  assert.deepEqual([bad.code, bad.stdout], [2, '']);
});

onCluster(
  { name: 'explain', up: ['--runtime', 'simulated', '--scheduler-config', configuration] },
  {
    'a cluster that runs: its own nodes, its own configuration, and nothing is created': async (cluster) => {
      const ran = await peapod(['simulate', '-f', web, '-o', 'json', ...cluster.global]);
      assert.equal(ran.code, 1, ran.stderr);
      const { pods } = JSON.parse(ran.stdout) as Simulation;
      assert.equal(pods[0]?.attempt?.nodes, 1);
      assert.deepEqual(
        pods[0]?.impasse?.nearest.map(({ obstacles }) => obstacles),
        [[{ kind: 'label', asker: 'scheduler', key: 'open', operator: 'Exists', values: [] }]],
      );
      assert.equal(await cluster.ok('get', 'pods', '-o', 'name'), '');
    },

    'why: what stands in the way; with --node: of one node, as it was when the pod was tried': async (cluster) => {
      await cluster.ok('apply', '-f', web);
      const ask = async <T>(...args: readonly string[]): Promise<T> => {
        const { stdout, stderr, code } = await peapod(['why', 'web', '-o', 'json', ...args, ...cluster.global]);
        assert.equal(code, 0, stderr);
        return JSON.parse(stdout) as T;
      };
      const isTold = ({ impasse }: WhyAnswer): boolean => impasse !== undefined;
      const answer = await until('the attempt is told', () => ask<WhyAnswer>(), isTold);
      const [name] = (await cluster.ok('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
      assert.equal(answer.impasse?.nearest[0]?.node, name);
      await cluster.ok('label', 'node', name!, 'open=yes');
      await cluster.ok('wait', '--for=condition=Ready', 'pod', 'web', '--timeout=50s');
      const isPlaced = ({ entries }: WhyAnswer): boolean =>
        entries.some((entry) => entry.type === 'SchedulingAttempt' && entry.result === 'Placed');
      await until('that it is placed is told', () => ask<WhyAnswer>(), isPlaced);
      const { basis, verdict } = await ask<NodeAnswer>('--node', name!);
      assert.ok(basis.kind === 'attempt' && basis.repeats);
      assert.deepEqual([verdict.fits, verdict.rank, verdict.feasible], [true, 1, 1]);
      const text = await peapod(['why', 'web', '--node', 'ghost', ...cluster.global]);
      assert.deepEqual([text.code, text.stderr], [1, `peapod: there is no node "ghost", but ${name}\n`]);
    },
  },
);
