import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { formats } from './formats.ts';

export type FieldError = { readonly pointer: string; readonly detail: string };

const ERRORS_SHOWN_MAX = 50;
const POINTER_LENGTH_MAX = 300;

/**
 * How schemas are checked: the request is never changed, every fault is told, unknown members are faults, and a schema
 * that names an unknown keyword or format stops the start.
 */
export const validationOptions = {
  customOptions: { coerceTypes: false, useDefaults: false, removeAdditional: false, allErrors: true },
  onCreate(ajv: { addFormat(name: string, check: (text: string) => boolean): unknown }) {
    for (const [name, { check }] of Object.entries(formats)) ajv.addFormat(name, check);
  },
} as const;

/** For answers, which are ours: the serialiser only needs to know that the formats exist. */
export const formatsUnchecked = Object.fromEntries(Object.keys(formats).map((name) => [name, true as const]));

/** Faults in the words of the API: where, as a JSON pointer, and what was wanted. Never the value itself. */
export function fieldErrors(faults: readonly FastifySchemaValidationError[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const fault of faults) {
    if (errors.length >= ERRORS_SHOWN_MAX) break;
    const { pointer, detail } = fieldError(fault);
    if (!errors.some((error) => error.pointer === pointer && error.detail === detail)) errors.push({ pointer, detail });
  }
  return errors;
}

function fieldError({ keyword, instancePath, params, message }: FastifySchemaValidationError): FieldError {
  switch (keyword) {
    case 'required':
      return at(`${instancePath}/${escaped(params.missingProperty)}`, 'is missing');
    case 'additionalProperties':
      return at(`${instancePath}/${escaped(params.additionalProperty)}`, 'is not a member of this request');
    case 'enum':
      return at(instancePath, `must be one of ${(params.allowedValues as unknown[]).join(', ')}`);
    case 'format':
      return at(instancePath, formats[String(params.format)]?.wanted ?? 'does not have the right form');
    case 'pattern':
      return at(instancePath, 'does not have the right form');
    default:
      return at(instancePath, message ?? 'is not right');
  }
}

export function at(pointer: string, detail: string): FieldError {
  return { pointer: pointer.slice(0, POINTER_LENGTH_MAX).toWellFormed(), detail };
}

/** As RFC 6901 writes a name in a pointer. */
export function escaped(name: unknown): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}
