import { labelKeyProblems } from '#api/names.ts';

/** Kubernetes' own: without a domain, or with kubernetes.io's. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Somebody else's, as `example.com/widget`: what it is and how much of it there is, only they know. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && labelKeyProblems(`requests.${name}`).length === 0;
