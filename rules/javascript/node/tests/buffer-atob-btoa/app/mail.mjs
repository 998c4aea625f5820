import { Buffer as Bytes, atob, btoa } from 'node:buffer';

export const read = (text) => atob(text).trim();
export const write = (data) => `${btoa(data)}\n`;
export const size = (data) => Bytes.byteLength(data);
