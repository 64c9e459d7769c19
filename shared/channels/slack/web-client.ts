// Imported by name here, because a bundle gives a CommonJS package no names where it is loaded late.
export { LogLevel, WebClient } from '@slack/web-api'
