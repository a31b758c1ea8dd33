/** The half of @libp2p/webrtc that is used: a bundler cannot tell when webrtc.ts loads it all, at the moment of its choice. */
export { webRTC } from "@libp2p/webrtc";
