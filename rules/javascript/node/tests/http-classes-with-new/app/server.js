const http = require("node:http");
const { Agent } = require("http");

const agent = Agent({ keepAlive: true });
const server = http.Server((request, answer) => answer.end());
const other = http.createServer();
