/** What JSON can say: the only kind of value a flow keeps. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON object, the shape of a row, of arguments and of a scope. */
export type JsonObject = Record<string, Json>

export function isJsonObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
