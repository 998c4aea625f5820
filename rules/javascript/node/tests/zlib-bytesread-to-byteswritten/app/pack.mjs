import { createGzip } from 'node:zlib';
import { createReadStream } from 'node:fs';

const pack = createGzip();
const file = createReadStream(path);
file.pipe(pack).on('end', () => console.log(`${file.bytesRead} read, ${pack.bytesRead} packed`));
