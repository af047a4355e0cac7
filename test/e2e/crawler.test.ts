import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import { examples, peapod, until } from '#test/e2e/support/cluster.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

const POD = 'crawler-and-server';

/** examples/crawler-and-server.yaml does what its comments say. */
onCluster('crawler', {
  'up -f applies it to the cluster that runs': async (cluster) => {
    const file = join(examples, 'crawler-and-server.yaml');
    const ran = await peapod(['up', ...cluster.global, '-f', file], { timeoutMs: 60_000 });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^pod\/crawler-and-server created$/m);
    assert.match(ran.stdout, /^crawler-and-server   3\/3     Running /m);
    const again = await peapod(['up', ...cluster.global, '-f', file], { timeoutMs: 60_000 });
    assert.match(again.stdout, /^pod\/crawler-and-server unchanged$/m);
  },

  'what the crawler fetched, the server shows': async (cluster) => {
    await until(
      'both pages',
      () => cluster.ok('logs', POD, '-c', 'crawler'),
      (log) => log.includes('fetched index.html') && log.includes('fetched news.html'),
    );
    const page = ['exec', POD, '-c', 'server', '--', 'timeout', '10', 'wget', '-qO-', 'http://127.0.0.1/news.html'];
    assert.match(await cluster.ok(...page), /^<h1>News<\/h1><p>This page server started at .*<\/p>\n$/);
    const { podIP } = (await cluster.get<Pod>('pod', POD)).status!;
    const index = await fetch(`http://${podIP}/`, { headers: { connection: 'close' } });
    assert.equal(await index.text(), '<h1>A page from elsewhere</h1><a href="news.html">News</a>\n');
  },

  'the server may not write what it shows': async (cluster) => {
    const write = await cluster.kubectl('exec', POD, '-c', 'server', '--', 'touch', '/usr/share/nginx/html/mine');
    assert.notEqual(write.code, 0);
    assert.match(write.stderr, /Read-only file system/);
  },

  'a page that changes at the source is fetched again': async (cluster) => {
    const change = `echo '<h1>Latest</h1>' > /site/news.html`;
    await cluster.ok('exec', POD, '-c', 'page-server', '--', 'sh', '-c', change);
    await until(
      'the new page',
      () => cluster.ok('exec', POD, '-c', 'server', '--', 'cat', '/usr/share/nginx/html/news.html'),
      (text) => text === '<h1>Latest</h1>\n',
    );
  },
});
