import { createServer } from "node:http";

function Server(port: number) { return createServer().listen(port); }
Server(8080);
