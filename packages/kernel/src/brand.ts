/** A value that only its own kind may stand for: a `UnitId` is no `OrderId`, though both are strings at run time. */
export type Brand<Value, Name extends string> = Value & { readonly __brand: Name };

/** Exhaustiveness: reached only when a union has grown a member that a switch does not know. Throws, it is a bug. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)}`);
}
