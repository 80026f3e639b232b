export { type Gateway, type GatewaySettings, openGateway } from './gateway.ts';
