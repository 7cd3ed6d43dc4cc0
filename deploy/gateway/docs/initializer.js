// A file of its own: the page's Content-Security-Policy allows no script inside the HTML.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  // Else the document would be sent to a validator on another host.
  validatorUrl: null,
});
