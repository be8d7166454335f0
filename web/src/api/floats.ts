// Numbers as they travel: base64 of little-endian float32 (viz.EncodeFloats).

/** Decodes base64; throws RangeError naming the fault. */
export function decodeBytes(base64: string): Uint8Array {
  let raw: string;
  try {
    raw = atob(base64);
  } catch {
    throw new RangeError(`base64 of ${base64.length} characters cannot be read`);
  }
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** Decodes float32 numbers; NaN and the infinities come back as they are. */
export function decodeFloats(base64: string): Float32Array {
  const bytes = decodeBytes(base64);
  if (bytes.length % 4 !== 0) throw new RangeError(`${bytes.length} bytes are no list of float32`);
  const view = new DataView(bytes.buffer);
  const out = new Float32Array(bytes.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(4 * i, true);
  return out;
}
