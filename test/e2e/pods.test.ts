/** A pod's life on its node, on real containers, as kubectl and a client that watches see it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { apiLifeStories, commandStories } from '#test/e2e/pods/api-life.ts';
import { admissionStories } from '#test/e2e/pods/admission.ts';
import { beginsStories } from '#test/e2e/pods/begins.ts';
import { changesStories } from '#test/e2e/pods/changes.ts';
import { endsStories } from '#test/e2e/pods/ends.ts';
import { namespacesStories } from '#test/e2e/pods/namespaces.ts';
import { networkStories } from '#test/e2e/pods/network.ts';
import { restartsStories } from '#test/e2e/pods/restarts.ts';
import { sidecarStories } from '#test/e2e/pods/sidecars.ts';
import { staticStories } from '#test/e2e/pods/static.ts';
import type { Stage } from '#test/e2e/pods/stage.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';

/** The longest first. */
const stories = [
  ...restartsStories,
  ...changesStories,
  ...endsStories,
  ...sidecarStories,
  ...staticStories,
  ...beginsStories,
  ...apiLifeStories,
  ...commandStories,
  ...networkStories,
  ...admissionStories,
  ...namespacesStories,
];

/** Six at a time: most of them mostly wait. */
test('pods', { concurrency: 6, timeout: 240_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-pods');
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    async create(name, spec, metadata) {
      const ran = await cluster.kubectlWith({ input: podManifest(name, spec, metadata) }, 'create', '-f', '-');
      assert.equal(ran.code, 0, ran.stderr);
    },
    async remove(...names) {
      await cluster.ok('delete', 'pod', '--now', '--wait=false', ...names);
    },
  };
  await Promise.all(stories.map(([name, tell]) => t.test(`pods: ${name}`, (inner) => tell(stage, inner))));
});
