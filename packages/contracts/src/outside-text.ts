const CONTROL_PATTERN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Marks that turn the direction of text around: a name must not read differently from what it is. */
const DIRECTION_PATTERN = /[\u202a-\u202e\u2066-\u2069]/;

/**
 * True for one line of text, not blank, as our own API would take it too: for what comes from outside sources, where no
 * schema stands before it.
 */
export function isOutsideLine(value: unknown, lengthMax: number): value is string {
  return (
    typeof value === 'string' &&
    value.length <= lengthMax &&
    value.trim() !== '' &&
    value.isWellFormed() &&
    !CONTROL_PATTERN.test(value) &&
    !DIRECTION_PATTERN.test(value)
  );
}

/** True for an object of JSON, and not for an array or null. */
export function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
