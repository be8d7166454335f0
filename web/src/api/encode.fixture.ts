// Numbers as the server sends them, for tests.

/** Encodes float32 numbers as decodeFloats reads them. */
export function encodeFloats(values: ArrayLike<number>): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
  let raw = '';
  for (const b of new Uint8Array(view.buffer)) raw += String.fromCharCode(b);
  return btoa(raw);
}
