// The web server of the example, with a constant beside the license API.
//   c KEYS PRODUCT FOLDER

#define main example_main
#include "../../examples/c/webserver.c"
#undef main

// What the license API answers a stranger, made once: libmicrohttpd can send nothing faster.
static struct MHD_Response *constant;

static enum MHD_Result on_either(void *served, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *len, void **kept) {
  const struct request *request = *kept;
  if (request && request->begun && !*len && !strcmp(url, "/constant")) {
    return MHD_queue_response(connection, MHD_HTTP_OK, constant);
  }
  return on_request(served, connection, url, method, version, data, len, kept);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  struct site site = {NULL, NULL, "a token that nobody sends"};
  char *keys = read_file(argv[1]);
  licentia_exchange *exchange = NULL;
  licentia_error error;
  if (licentia_product_new(argv[2], keys, &site.product, &error) ||
      licentia_product_open(site.product, argv[3], &site.installation, &error) ||
      licentia_exchange_new("GET", "/api/license", &exchange, &error) ||
      licentia_installation_handle(site.installation, exchange, &error)) {
    fprintf(stderr, "%s: %s\n", licentia_status_name(error.status), error.message);
    return 1;
  }
  constant = response_of(exchange);
  licentia_exchange_free(exchange);

  const sigset_t ends = hold_signals();
  struct MHD_Daemon *daemon = constant ? start(0, on_either, &site) : NULL;
  if (!daemon) return 1;
  printf("listening %d\n", port_of(daemon));
  fflush(stdout);
  int number;
  sigwait(&ends, &number);
  MHD_stop_daemon(daemon);

  MHD_destroy_response(constant);
  licentia_installation_free(site.installation);
  licentia_product_free(site.product);
  free(keys);
  return 0;
}
