import { busybox } from '#images/busybox/image.ts';
import type { ImageSpec } from '#images/kit/image.ts';
import { minio } from '#images/minio/image.ts';
import { mysql } from '#images/mysql/image.ts';
import { nginx } from '#images/nginx/image.ts';
import { pause } from '#images/pause/image.ts';
import { testserver } from '#images/testserver/image.ts';

/** Small ones first: they are what a cluster needs first. */
export const images: readonly ImageSpec[] = [pause, busybox, nginx, mysql, minio, testserver];
