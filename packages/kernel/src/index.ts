export * from './brand.ts';
export * from './id.ts';
export * from './instant.ts';
export * from './local-time.ts';
export * from './money.ts';
export * from './result.ts';
