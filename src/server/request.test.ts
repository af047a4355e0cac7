import assert from 'node:assert/strict';
import test from 'node:test';
import { isTrue, parseRequestInfo, type Method, type Query } from '#server/request.ts';

const cases: readonly { method?: Method; path: string; query?: Query; want: Record<string, unknown> }[] = [
  { path: '/api/v1/pods', want: { verb: 'list', group: '', version: 'v1', plural: 'pods', namespace: undefined } },
  { path: '/api/v1/namespaces/a/pods/b', want: { verb: 'get', namespace: 'a', plural: 'pods', name: 'b' } },
  { path: '/api/v1/namespaces/a/pods/b/log', want: { verb: 'get', name: 'b', subresource: 'log' } },
  { path: '/api/v1/namespaces/a/pods/b/proxy/x/y', want: { subresource: 'proxy', rest: '/x/y' } },
  { path: '/api/v1/namespaces', want: { verb: 'list', plural: 'namespaces', namespace: undefined, name: undefined } },
  { path: '/api/v1/namespaces/a', want: { verb: 'get', plural: 'namespaces', namespace: 'a', name: 'a' } },
  { path: '/api/v1/namespaces/a/finalize', want: { plural: 'namespaces', name: 'a', subresource: 'finalize' } },
  { path: '/api/v1/namespaces/a/status', want: { plural: 'namespaces', name: 'a', subresource: 'status' } },
  {
    path: '/apis/g.io/v2/namespaces/a/things',
    want: { group: 'g.io', version: 'v2', plural: 'things', namespace: 'a' },
  },
  { path: '/api/v1/pods', query: { watch: '1' }, want: { verb: 'watch' } },
  { path: '/api/v1/pods', query: { watch: 'false' }, want: { verb: 'list' } },
  { path: '/api/v1/watch/namespaces/a/pods', want: { verb: 'watch', namespace: 'a', plural: 'pods' } },
  { method: 'DELETE', path: '/api/v1/namespaces/a/pods', want: { verb: 'deletecollection' } },
  { method: 'DELETE', path: '/api/v1/namespaces/a/pods/b', want: { verb: 'delete' } },
  { method: 'POST', path: '/api/v1/namespaces/a/pods', want: { verb: 'create' } },
  { method: 'PATCH', path: '/api/v1/namespaces/a/pods/b', want: { verb: 'patch' } },
  { path: '/api/v1/namespaces/a/pods/b%2Fc', want: { name: 'b/c' } },
  { path: '/api/v1', want: { kind: 'path', verb: 'get', path: '/api/v1' } },
  { path: '/apis/apps', want: { kind: 'path', path: '/apis/apps' } },
  { method: 'POST', path: '/version', want: { kind: 'path', verb: 'post' } },
];

for (const { method = 'GET', path, query = {}, want } of cases) {
  test(`request: ${method} ${path}${query['watch'] ? `?watch=${query['watch']}` : ''}`, () => {
    assert.partialDeepStrictEqual(parseRequestInfo(method, path, query), want);
  });
}

test('request: a boolean parameter without a value is true', () => {
  assert.deepEqual([undefined, '', '1', 'true', 'TRUE', '0', 'false', 'False'].map(isTrue), [
    false,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
