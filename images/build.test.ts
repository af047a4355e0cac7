import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from '#images/build.ts';
import { images } from '#images/images.ts';

test('build: all images by default, into the usual place', () => {
  const wish = parse([]);
  assert.ok(!('problem' in wish));
  assert.equal(wish.images.length, images.length);
  assert.equal(wish.out, '/var/cache/peapod/kit');
});

test('build: named images, and those the kit has', () => {
  const wish = parse(['--out', '/nonexistent/kit', '--rebuild', 'nginx']);
  assert.ok(!('problem' in wish));
  assert.deepEqual(
    wish.images.map((image) => image.name),
    ['nginx'],
  );
  assert.equal(wish.rebuild, true);
});

const wrong = [
  { name: 'an unknown image', args: ['ngnix'], want: /no image is called ngnix; there are pause, / },
  { name: 'an unknown option', args: ['--outt', 'x'], want: /--outt/ },
];
for (const { name, args, want } of wrong)
  test(`build: ${name} is wrong usage`, () => {
    const wish = parse(args);
    assert.ok('problem' in wish);
    assert.match(wish.problem, want);
  });

test('images: every stand-in says so and names are full references', () => {
  for (const image of images) {
    assert.match(image.repository, /^[a-z0-9.]+\.[a-z]+\/[a-z/]+$/);
    assert.ok(image.standInFor !== undefined || image.name === 'testserver', image.name);
  }
});
