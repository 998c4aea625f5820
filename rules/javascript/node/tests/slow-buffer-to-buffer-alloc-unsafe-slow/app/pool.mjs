import { SlowBuffer } from 'node:buffer';

export const one = new SlowBuffer(4096);
export const many = (count, size) => Array.from({ length: count }, () => SlowBuffer(size));
export const isOne = (data) => data instanceof SlowBuffer;
