// Verify judges chains with Go's crypto/x509: files of roots, intermediates and a leaf.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	_, err := certificates(os.Args[3])[0].Verify(x509.VerifyOptions{
		Roots:         pool(os.Args[1]),
		Intermediates: pool(os.Args[2]),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	fail(err)
}

func pool(path string) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates(path) {
		pool.AddCert(certificate)
	}
	return pool
}

func certificates(path string) (found []*x509.Certificate) {
	rest, err := os.ReadFile(path)
	fail(err)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		fail(err)
		found = append(found, certificate)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
