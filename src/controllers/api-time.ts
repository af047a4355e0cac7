/** A metav1.Time: whole seconds, as the API keeps times of conditions and taints. */
export const apiTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
