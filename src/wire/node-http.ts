/**
 * node:http as `require` gives it. An `import` of it asks for every export, those too that are made when asked for: with them comes
 * all of fetch, which takes longer to load than the rest of Node (docs/performance.md).
 */
export const { get, IncomingMessage, request, STATUS_CODES } = process.getBuiltinModule('node:http');
