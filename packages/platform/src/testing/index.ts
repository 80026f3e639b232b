export * from './kafka.ts';
export * from './test-context.ts';
export * from './test-database.ts';
export * from './test-http.ts';
