import type { Node, NodeCondition } from '#api/generated/core-v1.ts';

export const nodeCondition = ({ status }: Pick<Node, 'status'>, type: string): NodeCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

export const isNodeReady = (node: Pick<Node, 'status'>): boolean => nodeCondition(node, 'Ready')?.status === 'True';
